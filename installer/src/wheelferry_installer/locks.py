"""A lock that a folder stands for; it ends with the last process that holds its descriptor."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from wheelferry_schemas.errors import ConflictError

_LOCK = "lock"
_IGNORED = ".gitignore"


@contextlib.contextmanager
def held(control: Path, what: Path, on_wait: Callable[[], None] | None) -> Iterator[int]:
    """Hold the lock of the folder `control`, which is made if need be; yields its descriptor.

    Where another run holds it, call `on_wait` and wait; without that raise `ConflictError` that
    names `what`. At the end the folder goes if nothing but the lock is in it.
    """
    with _acquired(control, what, on_wait) as descriptor:
        try:
            # Projects should not have to list the folder among what they ignore.
            ignored = control / _IGNORED
            if not ignored.exists():
                ignored.write_text("*\n", encoding="ascii")
            yield descriptor
        finally:
            # Whatever is left here does no harm, and the next run tries again.
            with contextlib.suppress(OSError):
                if {entry.name for entry in control.iterdir()} <= {_LOCK, _IGNORED}:
                    (control / _IGNORED).unlink(missing_ok=True)
                    (control / _LOCK).unlink()
                    control.rmdir()


@contextlib.contextmanager
def _acquired(control: Path, what: Path, on_wait: Callable[[], None] | None) -> Iterator[int]:
    path = control / _LOCK
    told = False
    while True:
        control.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            # Whoever held the lock has just removed the folder, or even those above it.
            continue
        try:
            if not _try_lock(descriptor):
                if on_wait is None:
                    raise ConflictError(
                        f"another run works on {what}",
                        hint="wait until it is done, then run this again",
                    )
                if not told:
                    on_wait()
                    told = True
                _wait_for_lock(descriptor)
            if _is_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether `path` still is the file that was opened: a lock on any other is none."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


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
