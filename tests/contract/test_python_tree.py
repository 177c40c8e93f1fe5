"""Which members of a Python archive are unpacked, and what none of them may be."""

import io
import tarfile
from collections.abc import Iterator

import pytest

from support.python_archives import interpreter, member, tar_of
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.python_tree import PythonTree, Release, read_release, read_tree

Member = tuple[tarfile.TarInfo, bytes]


def tree(*members: Member) -> PythonTree:
    with tarfile.open(fileobj=io.BytesIO(tar_of(members))) as tar:
        return read_tree(tar)


def refusal(*members: Member) -> str:
    with pytest.raises(MalformedError) as caught:
        tree(interpreter(), *members)
    return str(caught.value)


@pytest.mark.parametrize("root", ["", "./", "python/", "python/install/", "opt/py/3.12/"])
def test_root_is_the_folder_that_the_interpreter_is_in(root: str) -> None:
    found = tree(interpreter(f"{root}bin/python3"), member(f"{root}lib/os.py"))
    assert set(found.members) == {"bin/python3", "lib/os.py"}


def test_what_is_beside_the_root_is_left_alone() -> None:
    found = tree(interpreter("python/install/bin/python3"), member("python/build/x.o"))
    assert set(found.members) == {"bin/python3"}


def test_outermost_of_several_roots_counts() -> None:
    found = tree(interpreter("python/bin/python3"), interpreter("python/lib/venv/bin/python3"))
    assert "lib/venv/bin/python3" in found.members


def test_size_is_that_of_the_files() -> None:
    assert tree(interpreter(text="12345"), member("lib/a", b"123")).size == 8


def test_refuses_an_archive_without_an_interpreter() -> None:
    with pytest.raises(MalformedError, match="cannot be used") as caught:
        tree(member("python/bin/python"))
    assert caught.value.details == ("it has no bin/python3",)


@pytest.mark.parametrize("name", ["../a", "lib/../../a", "lib//a", "lib/./a"])
def test_refuses_a_path_that_is_not_plain(name: str) -> None:
    assert "is not a plain path" in refusal(member(name))


def test_refuses_an_absolute_path() -> None:
    assert "is not a plain path" in refusal(member("/etc/a"))


@pytest.mark.parametrize("name", ["lib\\a", "C:\\a"])
def test_refuses_a_path_that_windows_would_take_apart(name: str) -> None:
    assert "characters" in refusal(member(name))


@pytest.mark.parametrize(
    "kind",
    [tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
    ids=["hard link", "character device", "block device", "pipe"],
)
def test_refuses_other_kinds_of_members(kind: bytes) -> None:
    assert "is neither a file" in refusal(member("lib/a", kind=kind, link="bin/python3"))


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755])
def test_refuses_special_bits(mode: int) -> None:
    assert "somebody else" in refusal(member("bin/a", mode=mode))


@pytest.mark.parametrize("link", ["python3.12", "../lib/a", "../lib/b/c"])
def test_takes_a_link_that_stays_inside(link: str) -> None:
    assert "bin/a" in tree(interpreter(), member("bin/a", kind=tarfile.SYMTYPE, link=link)).members


@pytest.mark.parametrize(
    "link", ["/etc/passwd", "../../a", "../../../etc/passwd", "", "x/../../a", "../lib/../a", "./a"]
)
def test_refuses_a_link_that_may_lead_elsewhere(link: str) -> None:
    assert "links to outside" in refusal(member("bin/a", kind=tarfile.SYMTYPE, link=link))


def test_refuses_a_member_below_a_link() -> None:
    link = member("lib/a", kind=tarfile.SYMTYPE, link="b")
    assert "no folder" in refusal(link, member("lib/a/c"))


def test_refuses_a_member_below_a_file() -> None:
    assert "no folder" in refusal(member("lib/a/b/c"), member("lib/a"))


def test_refuses_a_path_twice() -> None:
    assert "is there twice" in refusal(member("lib/a"), member("lib/a"))


def test_refuses_more_than_fits_any_disk_before_it_reads_on() -> None:
    huge = tarfile.TarInfo("huge")
    huge.size = 9 * 2**30

    def infos() -> Iterator[tarfile.TarInfo]:
        yield huge
        pytest.fail("to find the next member, all of this one would be read")

    with pytest.raises(MalformedError, match="cannot be used") as caught:
        read_tree(infos())
    assert "it unpacks to more than" in str(caught.value)


@pytest.mark.parametrize("time", ["1e400", "-1e400", "nan", "1e30", "-1", "8589934592"])
def test_refuses_a_time_that_no_disk_can_keep(time: str) -> None:
    info, data = member("a")
    info.pax_headers = {"mtime": time}
    assert refusal((info, data)).endswith("'a' has a time that is none")


@pytest.mark.parametrize(
    ("name", "version", "triple", "free_threaded"),
    [
        (
            "cpython-3.12.4+20240726-x86_64-unknown-linux-gnu-install_only.tar.gz",
            "3.12.4",
            "x86_64-unknown-linux-gnu",
            False,
        ),
        (
            "cpython-3.13.1+20241206-aarch64-apple-darwin-install_only_stripped.tar.gz",
            "3.13.1",
            "aarch64-apple-darwin",
            False,
        ),
        (
            "cpython-3.13.1+20241206-x86_64-unknown-linux-musl-freethreaded+lto-full.tar.zst",
            "3.13.1",
            "x86_64-unknown-linux-musl",
            True,
        ),
        (
            "cpython-3.11.9+20240726-x86_64-unknown-linux-gnu-pgo+lto-full.tar.zst",
            "3.11.9",
            "x86_64-unknown-linux-gnu",
            False,
        ),
    ],
)
def test_names_of_python_build_standalone_say_what_they_hold(
    name: str, version: str, triple: str, free_threaded: bool
) -> None:
    expected = Release(version=version, triple=triple, free_threaded=free_threaded)
    assert read_release(name) == expected


def test_other_names_say_nothing() -> None:
    assert read_release("python-3.12.tar.gz") is None
