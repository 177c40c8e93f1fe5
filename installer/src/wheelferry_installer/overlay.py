"""Puts a relocated uv.lock in place of a project's own one, and that one back.

Beside the lock a folder holds the original, and the hash of what took its place. The lock itself is
only ever replaced by a rename: at any instant it is one or the other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from wheelferry_installer import disk
from wheelferry_installer.uv_project import LOCK
from wheelferry_schemas.errors import ConflictError, MalformedError

_FOLDER = ".wheelferry-overlay"
_STATE = "overlay.json"


def refuse_overlaid(project: Path) -> None:
    """Raise `ConflictError` where the lock of a project is not its own."""
    if (project / _FOLDER / _STATE).exists():
        raise ConflictError(
            f"the uv.lock in {project} was changed in place, and is not its own",
            hint=f"first: bundle unpack --undo {project}",
        )


def put_in_place(project: Path, data: bytes, *, sync: bool) -> None:
    """Replace the lock of a project, whose own one is kept; raises `ConflictError`."""
    refuse_overlaid(project)
    lock = Path(os.path.realpath(project / LOCK))
    folder = project / _FOLDER
    disk.remove(folder)
    folder.mkdir()
    try:
        # Projects should not have to list the folder among what they ignore.
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
        shutil.copy2(lock, folder / LOCK)
        state = {"relocated_sha256": _sha256(data), "original_sha256": _sha256(lock.read_bytes())}
        disk.write_whole(folder / _STATE, f"{json.dumps(state)}\n".encode(), sync=sync)
        disk.write_whole(lock, data, sync=sync)
    except BaseException:
        if (folder / LOCK).exists():
            os.replace(folder / LOCK, lock)
        disk.remove(folder)
        raise


def undo(project: Path, *, sync: bool) -> bool:
    """Put the project's own lock back; False where nothing was changed.

    Raises `ConflictError` where the lock is another one than was put there.
    """
    folder = project / _FOLDER
    if not (folder / _STATE).exists():
        return False
    try:
        state = json.loads((folder / _STATE).read_bytes())
        relocated, original = state["relocated_sha256"], state["original_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedError(
            f"{folder / _STATE} cannot be read",
            hint=f"the project's own lock is {folder / LOCK}: put it back by hand",
        ) from error
    lock = Path(os.path.realpath(project / LOCK))
    present = _sha256(lock.read_bytes()) if lock.exists() else None
    if present != original:
        if present not in (relocated, None):
            raise ConflictError(
                f"{lock} was changed since, and would be lost",
                hint=f"move it away; the project's own lock is {folder / LOCK}",
            )
        if _sha256((folder / LOCK).read_bytes()) != original:
            raise ConflictError(
                f"{folder / LOCK} was changed since", hint="it should hold the project's own lock"
            )
        os.replace(folder / LOCK, lock)
        if sync:
            disk.sync_folder(lock.parent)
    disk.remove(folder)
    return True


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
