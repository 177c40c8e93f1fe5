"""The lock of a folder: of this user alone, and not to be planted."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from support.running.command import bundle
from support.running.users import as_stranger, make_shared, needs_two_users, stranger_does
from wheelferry_installer.system.folder_lock import held
from wheelferry_schemas.errors import ConflictError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")


def test_lock_is_for_this_user_alone(tmp_path: Path) -> None:
    with held(tmp_path / "control", tmp_path, None):
        assert stat.S_IMODE((tmp_path / "control/lock").stat().st_mode) == 0o600
    assert not (tmp_path / "control").exists()


def test_lock_that_others_could_read_is_taken_from_them(tmp_path: Path) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control/lock").touch(0o644)
    with held(tmp_path / "control", tmp_path, None):
        assert stat.S_IMODE((tmp_path / "control/lock").stat().st_mode) == 0o600


def test_lock_is_held(tmp_path: Path) -> None:
    with (
        held(tmp_path / "control", tmp_path, None),
        pytest.raises(ConflictError, match="another run is working on"),
        held(tmp_path / "control", tmp_path, None),
    ):
        pass


@pytest.mark.parametrize("name", ["lock", ".gitignore"])
def test_planted_link_makes_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / name).symlink_to(tmp_path / "made")
    try:
        with held(tmp_path / "control", tmp_path, None):
            pass
    except OSError:
        assert name == "lock"
    assert not (tmp_path / "made").exists()


@needs_two_users
def test_another_user_cannot_hold_the_lock(tmp_path: Path) -> None:
    shared = make_shared(tmp_path / "shared")
    (shared / "control").mkdir(0o755)
    (shared / "control/previous").mkdir()
    with held(shared / "control", shared, None):
        pass
    # flock is of util-linux, as is setpriv.
    command = as_stranger("flock", "--nonblock", shared / "control/lock", "true")
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode != 0
    assert "Permission denied" in ran.stderr


@needs_two_users
def test_nothing_is_read_or_made_where_another_user_was_first(tmp_path: Path) -> None:
    shared = make_shared(tmp_path / "shared")
    stranger_does(
        "mkdir env.wheelferry; chmod 777 env.wheelferry; cd env.wheelferry; "
        "ln -s ../../made lock; ln -s ../../made .gitignore",
        cwd=shared,
    )
    ran = bundle("rollback", "--venv", shared / "env", cwd=tmp_path)
    assert ran.code == 8
    assert "belongs to another user" in ran.err
    assert not (tmp_path / "made").exists()
    assert sorted(os.listdir(shared / "env.wheelferry")) == [".gitignore", "lock"]
