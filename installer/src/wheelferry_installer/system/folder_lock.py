"""Locks a folder; the lock ends with the last process that holds its descriptor."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.system import open_folder, own_folder
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_schemas.errors import ConflictError

_LOCK = "lock"
_IGNORED = ".gitignore"
_PRIVATE = 0o600
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Held:
    """A folder whose lock is held, and the descriptor of the lock."""

    folder: OpenFolder
    descriptor: int


@contextlib.contextmanager
def held(control: Path, what: Path, on_wait: Callable[[], None] | None) -> Iterator[Held]:
    """Hold the lock of the folder `control`, which is created if necessary.

    If another run holds it, call `on_wait` and wait; without `on_wait` raise `ConflictError` that
    names `what`, as if the folder is not ours. At the end the folder is removed if it holds nothing
    but the lock.
    """
    with _acquired(control, what, on_wait) as found:
        try:
            _ignore(found.folder)
            yield found
        finally:
            # What is left does no harm, and the next run tries again.
            with contextlib.suppress(OSError):
                if set(found.folder.names()) <= {_LOCK, _IGNORED}:
                    found.folder.remove(_IGNORED)
                    found.folder.unlink(_LOCK)
                    control.rmdir()


def _ignore(folder: OpenFolder) -> None:
    # Projects should not need a line for this folder in their .gitignore.
    if not folder.has(_IGNORED):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(folder.open(_IGNORED, flags), "wb") as file:
            file.write(b"*\n")


@contextlib.contextmanager
def _acquired(control: Path, what: Path, on_wait: Callable[[], None] | None) -> Iterator[Held]:
    told = False
    while True:
        with contextlib.ExitStack() as opening:
            try:
                folder = opening.enter_context(own_folder.made(control))
                descriptor = folder.open(_LOCK, os.O_RDWR | os.O_CREAT, _PRIVATE)
            except FileNotFoundError:
                # The former holder of the lock has just removed the folder, or even those above it.
                continue
            opening.callback(os.close, descriptor)
            _keep_private(descriptor)
            if not _try_lock(descriptor):
                if on_wait is None:
                    raise ConflictError(
                        f"another run is working on {what}",
                        hint="wait until it is done, then run this again",
                    )
                if not told:
                    on_wait()
                    told = True
                _wait_for_lock(descriptor)
            if _is_at(descriptor, folder):
                yield Held(folder, descriptor)
                return


def _keep_private(descriptor: int) -> None:
    """Make the lock private: whoever can read the file can hold it, and block us."""
    status = os.fstat(descriptor)
    if open_folder.RELATIVE and status.st_mode & _OTHERS and status.st_uid == os.geteuid():
        os.fchmod(descriptor, _PRIVATE)


def _is_at(descriptor: int, folder: OpenFolder) -> bool:
    """Return whether the lock is still the file that was opened: no other counts."""
    there = folder.status(_LOCK)
    return (
        there is not None
        and os.path.samestat(os.fstat(descriptor), there)
        and folder.is_still_there()
    )


if sys.platform == "win32":
    import msvcrt
    import time

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        while not _try_lock(descriptor):
            time.sleep(0.1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
