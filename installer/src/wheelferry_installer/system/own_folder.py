"""Decides who owns a folder of wheelferry's own files, before anything is read from it.

That holds for control folders with their journals, locks and staged files, for receipts, overlays,
folders that a bundle is unpacked in, and the state of a user. A folder of ours is made by us, or
there already and believed: no link, of this user or of root, not writable by others.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from wheelferry_installer.system import open_folder
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_schemas.errors import ConflictError
from wheelferry_schemas.host_rules.writers import is_shared, why_not_believed

_PRIVATE = 0o700
_NOT_FOR_WRITING_BY_OTHERS = 0o755


@contextlib.contextmanager
def made(path: Path) -> Iterator[OpenFolder]:
    """Open a folder of ours, which is made if need be; raises `ConflictError` where it is not ours.

    Beside what others may write, nobody else may look into it. Elsewhere the umask decides, but
    never that others may write to it: with umask 002 our own folders would not be believed.
    Raises `FileNotFoundError` where another run has just removed it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = is_shared(path.parent.stat().st_mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(_PRIVATE if shared else _NOT_FOR_WRITING_BY_OTHERS)
    with found(path) as folder:
        yield folder


@contextlib.contextmanager
def found(path: Path) -> Iterator[OpenFolder]:
    """Open a folder of ours that is there; raises `ConflictError` where it is not ours."""
    try:
        opening = contextlib.ExitStack()
        folder = opening.enter_context(open_folder.opened(path))
    except (NotADirectoryError, PermissionError):
        refuse_foreign(path, path.lstat())
        raise
    with opening:
        status = folder.status()
        assert status is not None
        refuse_foreign(path, status)
        yield folder


def refuse_moved(folder: OpenFolder) -> None:
    """Raise `ConflictError` where the path of a folder of ours no longer leads to it."""
    if not folder.is_still_there():
        raise ConflictError(
            f"{folder.path} was moved away while wheelferry worked in it",
            hint="somebody else can write to the folder that it lies in: see to that first",
        )


def refuse_foreign(path: Path, status: os.stat_result) -> None:
    """Raise `ConflictError` unless what `lstat` says of a folder is that it is ours."""
    reason = why_foreign(status)
    if reason is not None:
        quoted = shlex.quote(os.fspath(path))
        is_open = "written to by others" in reason
        raise ConflictError(
            f"{path} cannot be used for wheelferry's own files: it {reason}",
            hint=f"look at what is in it; if all of that is yours: chmod go-w {quoted}"
            if is_open
            else f"look at what it is, then put it aside: mv {quoted} {quoted}.aside",
        )


def why_foreign(status: os.stat_result) -> str | None:
    """Return why a folder is not ours, by what `lstat` says of it; None where it is."""
    if open_folder.is_link(status):
        return "is a symbolic link"
    # Windows has neither owners nor modes that would say anything here.
    user = os.geteuid() if hasattr(os, "geteuid") else status.st_uid
    mode = status.st_mode if open_folder.RELATIVE else status.st_mode & ~0o022
    return why_not_believed(mode, status.st_uid, user=user, kind="folder")
