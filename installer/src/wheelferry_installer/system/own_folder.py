"""Checks the owner of folders for wheelferry's own files before anything is read from them.

These are control folders with their journals, locks and staged files, receipts, overlays, folders
for unpacking, and a user's state. A folder is ours if we made it, or if it is no link, belongs to
this user or root, and is not writable by others.
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
from wheelferry_schemas.host_rules.writers import Doubt, is_shared, why_not_believed

_PRIVATE = 0o700
_NOT_FOR_WRITING_BY_OTHERS = 0o755


@contextlib.contextmanager
def made(path: Path) -> Iterator[OpenFolder]:
    """Open a folder of ours, created if necessary; raises `ConflictError` if it is not ours.

    In a folder that others may write to, it is private. Elsewhere the umask applies, except that
    others never get write access: with umask 002 our own folders would not be trusted. Raises
    `FileNotFoundError` if another run has just removed it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = is_shared(path.parent.stat().st_mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(_PRIVATE if shared else _NOT_FOR_WRITING_BY_OTHERS)
    with found(path) as folder:
        yield folder


@contextlib.contextmanager
def found(path: Path) -> Iterator[OpenFolder]:
    """Open an existing folder of ours; raises `ConflictError` if it is not ours."""
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
    """Raise `ConflictError` if the path of a folder of ours no longer leads to it."""
    if not folder.is_still_there():
        raise ConflictError(
            f"{folder.path} was moved away while wheelferry worked in it",
            hint="somebody else can write to the folder that it lies in: see to that first",
        )


def refuse_foreign(path: Path, status: os.stat_result) -> None:
    """Raise `ConflictError` if a folder is not ours by its `lstat` result."""
    doubt = why_foreign(status)
    if doubt is not None:
        quoted = shlex.quote(os.fspath(path))
        raise ConflictError(
            f"{path} cannot be used for wheelferry's own files: it {doubt.text}",
            hint=f"look at what is in it; if all of that is yours: chmod go-w {quoted}"
            if doubt.cause == "mode"
            else f"look at what it is, then put it aside: mv {quoted} {quoted}.aside",
        )


def why_foreign(status: os.stat_result) -> Doubt | None:
    """Return why a folder is not ours by its `lstat` result, None if it is."""
    if open_folder.is_link(status):
        return Doubt("kind", "is a symbolic link")
    # On Windows owners and modes mean nothing here.
    user = os.geteuid() if hasattr(os, "geteuid") else status.st_uid
    mode = status.st_mode if open_folder.RELATIVE else status.st_mode & ~0o022
    return why_not_believed(mode, status.st_uid, user=user, kind="folder")
