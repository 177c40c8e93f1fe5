"""Archives of interpreters named on the command line, and the targets that they are for."""

import hashlib
from pathlib import Path

import pytest

from support.making.python_archives import interpreter, member, odd, tar_of, write
from support.running.hosts import target
from vectors.python_tars import python_tars
from wheelferry_bundler.fetch.python_archives import read_python_archives
from wheelferry_schemas.errors import MalformedError, TransferError, UnfitError, UsageError

RELEASE = "cpython-3.12.4+20240726-x86_64-unknown-linux-gnu-install_only.tar.gz"
HOSTILE = python_tars()
LINUX = target("manylinux_2_28_x86_64", "3.12")
OTHERS = (
    target("manylinux_2_28_x86_64", "3.13"),
    target("manylinux_2_28_aarch64", "3.12"),
    target("musllinux_1_2_x86_64", "3.12"),
    target("macosx_11_0_arm64", "3.12"),
)


def archive(folder: Path, name: str = RELEASE) -> Path:
    return write(folder / name, tar_of([interpreter()]))


@pytest.mark.parametrize("name", ["python.tar.gz", "python.tar.zst"])
def test_archive_is_for_the_only_target(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path, name)
    (found,) = read_python_archives([str(path)], [LINUX])
    data = path.read_bytes()
    assert found.path == path
    assert found.archive.targets == (LINUX.id,)
    assert (found.archive.name, found.archive.size) == (name, len(data))
    assert found.archive.sha256 == hashlib.sha256(data).hexdigest()


def test_name_tells_the_target(tmp_path: Path) -> None:
    (found,) = read_python_archives([str(archive(tmp_path))], [*OTHERS, LINUX])
    assert found.archive.targets == (LINUX.id,)


def test_name_of_a_mac_archive_tells_the_target(tmp_path: Path) -> None:
    path = archive(tmp_path, "cpython-3.12.4+20240726-aarch64-apple-darwin-install_only.tar.gz")
    (found,) = read_python_archives([str(path)], [*OTHERS, LINUX])
    assert found.archive.targets == (OTHERS[3].id,)


def test_archive_serves_all_targets_that_its_name_fits(tmp_path: Path) -> None:
    older = target("manylinux_2_17_x86_64", "3.12")
    (found,) = read_python_archives([str(archive(tmp_path))], [older, LINUX])
    assert found.archive.targets == tuple(sorted((older.id, LINUX.id)))


def test_target_can_be_said(tmp_path: Path) -> None:
    path = archive(tmp_path, "python.tar.gz")
    (found,) = read_python_archives([f"{OTHERS[0].id}={path}"], [*OTHERS, LINUX])
    assert found.archive.targets == (OTHERS[0].id,)


def test_asks_for_the_target_where_the_name_says_nothing(tmp_path: Path) -> None:
    path = archive(tmp_path, "python.tar.gz")
    with pytest.raises(UsageError, match="does not follow from its name") as caught:
        read_python_archives([str(path)], [LINUX, OTHERS[0]])
    assert caught.value.hint == f"say so: --python-archive {LINUX.id}={path}"


def test_refuses_an_archive_for_none_of_the_targets(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="is for none of the targets"):
        read_python_archives([str(archive(tmp_path))], OTHERS)


def test_refuses_an_archive_whose_name_says_another_target(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="by its name"):
        read_python_archives([str(archive(tmp_path))], [OTHERS[0]])


def test_refuses_two_archives_for_one_target(tmp_path: Path) -> None:
    paths = [str(archive(tmp_path, name)) for name in ("a.tar.gz", "b.tar.gz")]
    with pytest.raises(UsageError, match="two Python archives for"):
        read_python_archives(paths, [LINUX])


def test_refuses_two_archives_of_one_name(tmp_path: Path) -> None:
    given = []
    for place, one in (("x", LINUX), ("y", OTHERS[0])):
        (tmp_path / place).mkdir()
        given.append(f"{one.id}={archive(tmp_path / place, 'a.tar.gz')}")
    with pytest.raises(UsageError, match="two archives called"):
        read_python_archives(given, [LINUX, OTHERS[0]])


def test_refuses_what_the_far_side_would_refuse(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar.gz", tar_of([interpreter("bin/python")]))
    with pytest.raises(MalformedError, match=r"a\.tar\.gz: the Python archive cannot be used"):
        read_python_archives([str(path)], [LINUX])


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.zst"])
def test_refuses_what_is_no_archive(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"hello" * 300)
    with pytest.raises(MalformedError, match="is not a readable archive"):
        read_python_archives([str(tmp_path / name)], [LINUX])


def test_refuses_an_archive_with_a_number_that_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar.gz", tar_of([interpreter(), odd()]))
    with pytest.raises(MalformedError, match="is not a readable archive"):
        read_python_archives([str(path)], [LINUX])


def test_refuses_a_name_that_bundles_cannot_have(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not the name of a Python archive"):
        read_python_archives([str(archive(tmp_path, "python.tgz"))], [LINUX])


def test_says_which_archive_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"absent\.tar\.gz cannot be read"):
        read_python_archives([str(tmp_path / "absent.tar.gz")], [LINUX])


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_hostile_archives(name: str, tmp_path: Path) -> None:
    words, make, end = HOSTILE[name]
    path = tmp_path / f"python.tar.{end}"
    path.write_bytes(make())
    with pytest.raises(MalformedError) as caught:
        read_python_archives([str(path)], [LINUX])
    assert words in str(caught.value)


def test_names_in_two_letter_cases_are_for_linux_alone(tmp_path: Path) -> None:
    tar = tar_of([interpreter(), member("share/N/ncr"), member("share/n/NCR")])
    path = write(tmp_path / "a.tar.gz", tar)
    assert read_python_archives([str(path)], [LINUX])
    with pytest.raises(MalformedError, match="cannot be used") as caught:
        read_python_archives([str(path)], [OTHERS[3]])
    assert "are one file on some file systems" in str(caught.value)
