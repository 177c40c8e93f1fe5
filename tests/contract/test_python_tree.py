"""Which entries of a Python archive are unpacked, and what none of them may be."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.python_tree import PythonTree, Release, read_release, read_tree
from wheelferry_schemas.tar.tar_headers import TarEntry


def file(name: str, size: int = 0) -> TarEntry:
    return TarEntry(name=name, kind="file", size=size, mode=0o644, time=0)


def folder(name: str) -> TarEntry:
    return replace(file(name), kind="folder")


def link(name: str, target: str) -> TarEntry:
    return replace(file(name), kind="link", target=target)


def tree(*entries: TarEntry, folds_case: bool = False) -> PythonTree:
    return read_tree(entries, folds_case=folds_case)


def refusal(*entries: TarEntry, folds_case: bool = False) -> str:
    with pytest.raises(MalformedError) as caught:
        tree(file("bin/python3"), *entries, folds_case=folds_case)
    return str(caught.value)


@pytest.mark.parametrize("root", ["", "python/", "python/install/", "opt/py/3.12/"])
def test_root_is_the_folder_that_the_interpreter_is_in(root: str) -> None:
    found = tree(file(f"{root}bin/python3"), file(f"{root}lib/os.py"))
    assert set(found.members) == {"bin/python3", "lib/os.py"}


def test_what_is_beside_the_root_is_not_unpacked() -> None:
    found = tree(folder(""), folder("python"), file("python/install/bin/python3"), file("build/x"))
    assert set(found.members) == {"bin/python3"}


def test_what_is_beside_the_root_is_held_to_the_rules() -> None:
    with pytest.raises(MalformedError, match="cannot be used"):
        tree(file("python/bin/python3"), file("../x"))


def test_outermost_of_several_roots_counts() -> None:
    found = tree(file("python/bin/python3"), file("python/lib/venv/bin/python3"))
    assert "lib/venv/bin/python3" in found.members


def test_interpreter_may_be_a_link() -> None:
    assert len(tree(link("bin/python3", "python3.12"), file("bin/python3.12")).members) == 2


def test_size_is_that_of_the_files() -> None:
    assert tree(file("bin/python3", 5), file("lib/a", 3)).size == 8


@pytest.mark.parametrize("entry", [file("python/bin/python"), folder("bin/python3")])
def test_refuses_an_archive_without_an_interpreter(entry: TarEntry) -> None:
    with pytest.raises(MalformedError, match="cannot be used") as caught:
        tree(entry)
    assert caught.value.details == ("it has no bin/python3",)


@pytest.mark.parametrize("name", ["", "../a", "lib/../../a", "lib//a", "lib/./a", "lib/a/"])
def test_refuses_a_path_that_is_not_plain(name: str) -> None:
    assert f"{name!r} is not a plain relative path" in refusal(file(name))


def test_refuses_an_absolute_path() -> None:
    assert "is an absolute path" in refusal(file("/etc/a"))


@pytest.mark.parametrize("name", ["lib\\a", "C:\\a", "C:a"])
def test_refuses_a_path_that_windows_would_take_apart(name: str) -> None:
    assert "has a character" in refusal(file(name))


def test_refuses_a_path_of_more_than_1000_characters() -> None:
    assert len(tree(file("bin/python3"), file("a/" * 499 + "aa")).members) == 2
    assert "is longer than 1000" in refusal(file("a/" * 500 + "a"))


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755, 0o100644])
def test_refuses_special_bits(mode: int) -> None:
    assert "mode bits beyond" in refusal(replace(file("bin/a"), mode=mode))


@pytest.mark.parametrize("target", ["python3.12", "../lib/a", "../lib/b/c", "..", "../.."])
def test_takes_a_link_that_stays_inside(target: str) -> None:
    found = tree(file("bin/python3"), link("lib/x/a", target))
    assert found.members["lib/x/a"].target == target


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "../../a",
        "../../../etc/passwd",
        "x/../../a",
        "../lib/../a",
        "./a",
        "a/",
        "a\\b",
    ],
)
def test_refuses_a_link_that_may_lead_elsewhere(target: str) -> None:
    assert "links outside" in refusal(link("bin/a", target))


def test_a_link_beside_the_root_stays_in_the_archive() -> None:
    inside = link("other/a", "../python/bin/python3")
    assert len(tree(file("python/bin/python3"), inside).members) == 1
    with pytest.raises(MalformedError, match="cannot be used"):
        tree(file("python/bin/python3"), link("other/a", "../../x"))


def test_a_link_of_the_interpreter_stays_below_its_root() -> None:
    with pytest.raises(MalformedError, match="cannot be used"):
        tree(file("python/bin/python3"), link("python/a", "../x"))


@pytest.mark.parametrize(
    "links",
    [
        [("lib/a", "a")],
        [("lib/a", "b"), ("lib/b", "../lib/a")],
        [("lib/a", "b/x"), ("lib/b", "a/y")],
        [("lib/a", "a/x")],
    ],
)
def test_refuses_links_that_lead_nowhere_but_to_each_other(links: list[tuple[str, str]]) -> None:
    assert "'lib/a' is a link that leads to itself" in refusal(*(link(*pair) for pair in links))


def test_takes_links_through_links() -> None:
    links = [link("lib64", "lib"), link("lib/a", "../lib64/b"), link("lib/b", "c"), link("x", "y")]
    assert len(tree(file("bin/python3"), file("lib/c"), *links).members) == 6


def test_takes_as_many_links_as_linux_follows() -> None:
    chain = [link(f"l{n}", f"l{n + 1}") for n in range(40)]
    assert len(tree(file("bin/python3"), *chain).members) == 41
    assert "'l0' is a link that leads" in refusal(*chain, link("l40", "l41"))


def test_refuses_a_member_below_a_link() -> None:
    assert "not a folder" in refusal(link("lib/a", "b"), file("lib/a/c"))


def test_refuses_a_member_below_a_file() -> None:
    assert "not a folder" in refusal(file("lib/a/b/c"), file("lib/a"))


def test_refuses_a_path_twice() -> None:
    assert "is there twice" in refusal(file("lib/a"), file("lib/a"))


@pytest.mark.parametrize("folds_case", [True, False])
def test_refuses_one_name_in_two_forms_of_unicode(folds_case: bool) -> None:
    forms = file("lib/\xe9/a"), file("lib/e\u0301/b")
    assert "are one file on some" in refusal(*forms, folds_case=folds_case)


def test_refuses_one_name_in_two_letter_cases_where_they_are_one_file() -> None:
    # Terminal descriptions of Linux have such names.
    both = file("share/terminfo/N/NCR260"), file("share/terminfo/n/ncr260")
    assert len(tree(file("bin/python3"), *both).members) == 3
    assert "are one file on some" in refusal(*both, folds_case=True)


def test_refuses_more_than_fits_any_disk_before_it_reads_on() -> None:
    def entries() -> Iterator[TarEntry]:
        yield file("huge", 9 * 2**30)
        pytest.fail("to find the next member, all of this one would be read")

    with pytest.raises(MalformedError, match="cannot be used") as caught:
        read_tree(entries(), folds_case=False)
    assert "it unpacks to more than" in str(caught.value)


def test_refuses_more_members_than_anybody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelferry_schemas.python_tree.MAX_MEMBERS", 3)
    assert len(tree(file("bin/python3"), file("a"), file("b")).members) == 3
    assert "it has more than 3 members" in refusal(file("a"), file("b"), file("c"))


def test_refuses_a_time_that_no_header_can_state() -> None:
    assert refusal(replace(file("a"), time=2**33)).endswith("'a' has an invalid time")


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
