"""Another user of this host, for tests that take two."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

STRANGER = 54321
"""A user and a group that no test file belongs to."""

needs_two_users = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become another user, by setpriv",
)


def as_stranger(*command: str | Path) -> tuple[str, ...]:
    """Return a command as one that the stranger runs."""
    user = (f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
    return ("setpriv", *user, "--", *map(str, command))


def stranger_does(script: str, *, cwd: Path) -> None:
    """Run a script of the shell as the stranger."""
    subprocess.run(as_stranger("sh", "-euc", script), cwd=cwd, check=True, timeout=60)


def make_shared(folder: Path) -> Path:
    """Make a folder like `/tmp`: everybody may make files in it, and remove only their own."""
    folder.mkdir()
    folder.chmod(0o1777)
    # What pytest makes nobody else can enter.
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(0o711)
    return folder
