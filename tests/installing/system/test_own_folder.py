"""Whose a folder is, and how it is made: before anything in it is read."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.running.users import STRANGER, make_shared, needs_two_users, stranger_does
from wheelferry_installer.system import own_folder
from wheelferry_schemas.errors import ConflictError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def umask_of_private_groups() -> Iterator[None]:
    """As Debian and its descendants set it: everybody has a group of their own."""
    before = os.umask(0o002)
    yield
    os.umask(before)


def test_makes_folder_that_others_may_look_into(tmp_path: Path) -> None:
    with own_folder.made(tmp_path / "ours"):
        assert mode(tmp_path / "ours") == 0o755


def test_makes_folder_in_shared_one_for_this_user_alone(tmp_path: Path) -> None:
    shared = make_shared(tmp_path / "shared")
    with own_folder.made(shared / "ours"):
        assert mode(shared / "ours") == 0o700


@pytest.mark.usefixtures("umask_of_private_groups")
def test_makes_folder_that_group_cannot_write_to_whatever_the_umask(tmp_path: Path) -> None:
    with own_folder.made(tmp_path / "ours"), own_folder.found(tmp_path / "ours"):
        assert mode(tmp_path / "ours") == 0o755


def test_takes_folder_of_this_user_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir(0o750)
    (tmp_path / "ours/file").write_text("kept")
    with own_folder.made(tmp_path / "ours") as folder:
        assert folder.read("file") == b"kept"
    assert mode(tmp_path / "ours") == 0o750


def test_refuses_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ours").symlink_to("elsewhere")
    with (
        pytest.raises(ConflictError, match="is a symbolic link"),
        own_folder.made(tmp_path / "ours"),
    ):
        pass


def test_refuses_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "ours").symlink_to("nowhere")
    with (
        pytest.raises(ConflictError, match="is a symbolic link"),
        own_folder.made(tmp_path / "ours"),
    ):
        pass
    assert not (tmp_path / "nowhere").exists()


def test_refuses_file(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("")
    with pytest.raises(ConflictError, match="is not a folder"), own_folder.made(tmp_path / "ours"):
        pass


@pytest.mark.parametrize("bits", [0o777, 0o775, 0o757, 0o1777])
def test_refuses_folder_that_others_can_write_to(tmp_path: Path, bits: int) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours").chmod(bits)
    with (
        pytest.raises(ConflictError, match="by others") as caught,
        own_folder.made(tmp_path / "ours"),
    ):
        pass
    assert caught.value.hint is not None
    assert "chmod go-w" in caught.value.hint


@needs_two_users
def test_refuses_folder_of_another_user(tmp_path: Path) -> None:
    shared = make_shared(tmp_path / "shared")
    stranger_does("mkdir -m 755 ours", cwd=shared)
    with (
        pytest.raises(ConflictError, match=f"another user .uid {STRANGER}"),
        own_folder.made(shared / "ours"),
    ):
        pass


def test_folder_stays_the_one_that_was_opened(tmp_path: Path) -> None:
    with own_folder.made(tmp_path / "ours") as folder:
        (tmp_path / "ours").rename(tmp_path / "moved")
        (tmp_path / "ours").mkdir()
        folder.write("file", b"data", sync=False)
        assert not folder.is_still_there()
    assert (tmp_path / "moved/file").read_bytes() == b"data"
    assert not list((tmp_path / "ours").iterdir())
