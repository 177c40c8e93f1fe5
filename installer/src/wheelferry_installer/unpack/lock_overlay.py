"""Replaces a project's uv.lock by a relocated one, and restores it.

A folder beside the lock holds the original and the hash of its replacement. The lock is replaced by
a rename: at any instant it is one or the other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from wheelferry_installer.system import open_folder, own_folder
from wheelferry_installer.system.open_folder import NotPlainError, OpenFolder
from wheelferry_installer.unpack.uv_project import LOCK
from wheelferry_schemas.errors import ConflictError, MalformedError

_FOLDER = ".wheelferry-overlay"
_STATE = "overlay.json"
_HASHES = ("relocated_sha256", "original_sha256")


def refuse_overlaid(project: Path) -> None:
    """Raise `ConflictError` if the lock of a project is a relocated one."""
    if (project / _FOLDER / _STATE).exists():
        raise ConflictError(
            f"the uv.lock in {project} was changed in place, and is not its own",
            hint=f"first: bundle unpack --undo {shlex.quote(os.fspath(project))}",
        )


def put_in_place(project: Path, data: bytes, *, sync: bool) -> None:
    """Replace the lock of a project and keep the original; raises `ConflictError`."""
    refuse_overlaid(project)
    with _opened(project) as site:
        site.remove(_FOLDER)
        with own_folder.made(site.path / _FOLDER) as folder:
            try:
                # Projects should not need a line for this folder in their .gitignore.
                folder.write(".gitignore", b"*\n", sync=False)
                shutil.copy2(site.path / LOCK, folder.path / LOCK, follow_symlinks=False)
                hashes = (
                    hashlib.sha256(data).hexdigest(),
                    hashlib.sha256(folder.read(LOCK)).hexdigest(),
                )
                state = dict(zip(_HASHES, hashes, strict=True))
                folder.write(_STATE, f"{json.dumps(state)}\n".encode(), sync=sync)
                site.write(LOCK, data, sync=sync)
            except BaseException:
                if folder.has(LOCK):
                    folder.rename(LOCK, site, LOCK)
                site.remove(_FOLDER)
                raise


def undo(project: Path, *, sync: bool) -> bool:
    """Restore the project's own lock; return False if it was not replaced.

    Raises `ConflictError` if the lock was changed since.
    """
    if not os.path.lexists(project / _FOLDER):
        return False
    with _opened(project) as site:
        with own_folder.found(site.path / _FOLDER) as folder:
            if not folder.has(_STATE):
                return False
            _put_back(site, folder, sync=sync)
        site.remove(_FOLDER)
    return True


def _put_back(site: OpenFolder, folder: OpenFolder, *, sync: bool) -> None:
    lock, kept = site.path / LOCK, folder.path / LOCK
    try:
        state = json.loads(folder.read(_STATE))
        relocated, original = (state[name] for name in _HASHES)
    except (ValueError, KeyError, TypeError, RecursionError, NotPlainError) as error:
        raise MalformedError(
            f"{folder.path / _STATE} cannot be read",
            hint=f"the project's own lock is {kept}: put it back by hand",
        ) from error
    present = hashlib.sha256(site.read(LOCK)).hexdigest() if site.has(LOCK) else None
    if present == original:
        return
    if present not in (relocated, None):
        raise ConflictError(
            f"{lock} was changed since, and would be lost",
            hint=f"move it away; the project's own lock is {kept}",
        )
    if not folder.has(LOCK) or hashlib.sha256(folder.read(LOCK)).hexdigest() != original:
        raise ConflictError(
            f"{kept} was changed since", hint="it should hold the project's own lock"
        )
    folder.rename(LOCK, site, LOCK)
    if sync:
        site.sync()


@contextlib.contextmanager
def _opened(project: Path) -> Iterator[OpenFolder]:
    """Open the folder of a project whose lock is a plain file."""
    with open_folder.opened(Path(os.path.realpath(project))) as site:
        lock = site.status(LOCK)
        if lock is not None and not stat.S_ISREG(lock.st_mode):
            raise ConflictError(
                f"{site.path / LOCK} is not a file of the project's own",
                hint="name the folder of the project that it belongs to",
            )
        yield site
