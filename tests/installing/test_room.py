"""No room on the disk: foreseen where that can be, and never more than a message."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from support.command import Ran, tree
from support.other_installers import Install, bundle_installer, make_environment
from support.wheels import make_wheel
from wheelferry_installer import disk


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


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


def test_less_room_than_the_wheels_take(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(place[1].parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 0, 100_000))
    ran = install([BIG], *place)
    assert ran.code == 7
    assert "has room for" in ran.err
    assert tree(place[1].parent) == before


def test_less_room_than_the_files_take(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(place[1].parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 0, 1_000_000))
    ran = install([BIG], *place)
    assert ran.code == 7
    assert "at least 3.3 MB are needed" in ran.err
    assert tree(place[1].parent) == before


def test_disk_that_does_not_know_its_size(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(0, 0, 0))
    assert install([BIG], *place).code == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_disk_that_fails_when_the_journal_is_written(
    place: tuple[str, Path], install: Install, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = tree(place[1].parent)

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(disk, "write_whole", fail)
    ran = install([BIG], *place)
    assert ran.code == 7
    assert os.strerror(number) in ran.err
    assert tree(place[1].parent) == before
