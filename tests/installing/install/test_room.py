"""No room on the disk: foreseen where that can be, and never more than a message."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from support.making.archives import NOW, join_plain, plain_frames, policy_of
from support.making.bundles import make_bundle
from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import ALICE
from support.running.other_installers import Install, bundle_installer, make_environment
from wheelferry_installer.install import room, wheel_workers
from wheelferry_installer.system import disk
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import verify


class Usage(NamedTuple):
    total: int
    used: int
    free: int


BIG = make_wheel("big", files={"big.py": os.urandom(300_000), "zeros": bytes(3_000_000)})


@pytest.fixture(params=["--venv", "--into"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """An option and what it names: an environment of wheelferry's own, or one of others."""
    folder = tmp_path / "work" / "env"
    folder.parent.mkdir()
    if request.param == "--into":
        make_environment(folder)
    return request.param, folder


def free_space(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Have every disk of this host say that so many bytes are free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 0, free))


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


def test_less_room_than_the_wheels_take(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(place[1].parent)
    free_space(monkeypatch, 100_000)
    ran = install([BIG], *place)
    assert ran.code == 7
    assert "not enough space in" in ran.err
    assert "100.0 kB free, 3.4 MB needed" in ran.err
    assert tree(place[1].parent) == before


def test_less_room_than_the_files_take(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(place[1].parent)
    free_space(monkeypatch, 1_000_000)
    ran = install([BIG], *place)
    assert ran.code == 7
    assert "1.0 MB free, 3.4 MB needed" in ran.err
    assert tree(place[1].parent) == before


def test_room_for_each_package_but_not_for_all(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(place[1].parent)
    free_space(monkeypatch, 7_000_000)
    files = {"data": os.urandom(300_000), "zeros": bytes(3_000_000)}
    ran = install([make_wheel(name, files=files) for name in ("a", "b", "c")], *place)
    assert ran.code == 7
    assert ran.err.count("\n") == 2
    assert "7.0 MB free, 10.0 MB needed" in ran.err
    assert tree(place[1].parent) == before


def test_what_is_left_alone_takes_no_room(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make_environment(tmp_path / "env")
    assert install([BIG], "--into", environment).code == 0
    free_space(monkeypatch, 100_000)
    assert install([BIG, make_wheel("small")], "--into", environment).code == 0


def test_dry_run_foresees_it(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_space(monkeypatch, 1_000_000)
    ran = install([BIG], *place, "--dry-run")
    assert ran.code == 7
    assert "1.0 MB free, 3.4 MB needed" in ran.err


def test_small_files_take_a_block_each(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "block_size", lambda _folder: 4096)
    free_space(monkeypatch, 100_000)
    files = {f"file{number}": os.urandom(200) for number in range(100)}
    ran = install([make_wheel("many", files=files)], *place)
    assert "100.0 kB free, 499.7 kB needed" in ran.err


def test_bundle_is_not_read_twice_where_there_is_ample_room(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(room, "_ending", fail)
    assert install([BIG], "--venv", tmp_path / "env").code == 0


def test_wheel_that_was_tampered_with_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_ending: bytes) -> list[int]:
        raise AssertionError

    monkeypatch.setattr(room, "stated_sizes", fail)
    path = make_bundle(tmp_path / "bundle.tar.zst", [BIG], keys=[ALICE])
    frames = plain_frames(path.read_bytes())
    frames[-2] = frames[-2][:600] + bytes(1) + frames[-2][601:]
    path.write_bytes(join_plain(frames))
    free_space(monkeypatch, 2 * BIG.size)
    bundle = verify(open_bundle(path), policy_of(ALICE), NOW)
    # What is wrong with it, the installation says.
    room.require(bundle, bundle.manifest.packages, tmp_path)
    bundle.close()


def test_disk_that_does_not_know_its_size(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(0, 0, 0))
    assert install([BIG], *place).code == 0


FAILURES = [
    (errno.ENOSPC, "free space"),
    (errno.EDQUOT, "free space"),
    (errno.EIO, "the disk is failing"),
    (errno.EROFS, "mounted read-only"),
    (errno.EACCES, "check the rights"),
    (errno.ENAMETOOLONG, "remove the cause"),
]


@pytest.mark.parametrize(("number", "advice"), FAILURES)
def test_disk_that_fails_when_the_journal_is_written(
    place: tuple[str, Path],
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    advice: str,
) -> None:
    before = tree(place[1].parent)

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(OpenFolder, "write", fail)
    ran = install([BIG], *place)
    assert ran.code == 7
    assert os.strerror(number) in ran.err
    assert advice in ran.err
    assert ("free space" in ran.err) == (advice == "free space")
    assert tree(place[1].parent) == before


@pytest.mark.parametrize(("number", "advice"), FAILURES)
def test_disk_that_fails_in_all_workers_is_told_once(
    place: tuple[str, Path],
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    advice: str,
) -> None:
    before = tree(place[1].parent)

    def fail(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number), "/some/file")

    monkeypatch.setattr(wheel_workers, "_install", fail)
    ran = install([make_wheel(f"w{number}") for number in range(9)], *place)
    assert ran.code == 7
    error, hint = ran.err.splitlines()
    assert error == f"error: {place[1]} could not be written: {os.strerror(number)}"
    assert advice in hint
    assert tree(place[1].parent) == before


def test_shortage_that_all_workers_find_is_told_once(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_disk_by_another(*_arguments: object) -> None:
        free_space(monkeypatch, 100)

    monkeypatch.setattr(room, "require", fill_disk_by_another)
    ran = install([make_wheel(f"w{number}") for number in range(9)], *place)
    assert ran.code == 7
    assert ran.err.count("\n") == 2
    assert "not enough space in" in ran.err
