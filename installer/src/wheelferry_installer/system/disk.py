"""Asks the disk for space, to flush, and to exchange two paths."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from wheelferry_schemas.display import human_size
from wheelferry_schemas.errors import TransferError

IN_MEMORY = 32 * 2**20
"""Wheels up to this many bytes are not written to disk before they are read."""
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_BLOCK = 4096
_NOT_SUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
_CAUSES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free space there"),
    errno.EIO: "the disk is failing (dmesg says more): replace it, or choose another",
    errno.EROFS: "the file system is mounted read-only (dmesg may say why)",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "check the rights"),
}


def failure(what: str, error: OSError, *, kept: str) -> TransferError:
    """Return the error that says what failed, what is unchanged, and what to do."""
    return TransferError(
        f"{what}: {error.strerror or error}",
        hint=f"{kept}; {_CAUSES.get(error.errno or 0, 'remove the cause')}, and try again",
    )


def has_room(folder: Path, size: int) -> bool:
    """Return whether `size` bytes are free where `folder` will be."""
    total, _, free = shutil.disk_usage(_existing(folder))
    # Some network file systems report 0.
    return not total or free >= size


def require_room(folder: Path, size: int) -> None:
    """Raise `TransferError` unless `size` bytes are free where `folder` will be."""
    if not has_room(folder, size):
        existing = _existing(folder)
        free = human_size(shutil.disk_usage(existing).free)
        raise TransferError(
            f"not enough space in {existing}: {free} free, {human_size(size)} needed",
            hint="nothing was changed; free space, or choose a place on another disk",
        )


def spool(size: int, folder: Path | None = None) -> BinaryIO:
    """Return an empty file for `size` bytes: in memory or, if large, unlinked.

    The latter is in `folder`, by default the one for temporary files.
    """
    return BytesIO() if size <= IN_MEMORY else tempfile.TemporaryFile(dir=folder)


def block_size(folder: Path) -> int:
    """Return the block size of the disk where `folder` will be."""
    if sys.platform == "win32":
        return _BLOCK
    # Network file systems report their preferred transfer size.
    return min(_BLOCK, os.statvfs(_existing(folder)).f_frsize or _BLOCK)


def size_on_disk(*folders: Path) -> int:
    """Return the space that folders take; a file with several links counts once."""
    return sum(_blocks(statuses[0]) for statuses in _files(folders).values())


def room_given_back(*folders: Path) -> int:
    """Return the space freed by removing folders: files with links elsewhere stay."""
    files = _files(folders).values()
    return sum(
        _blocks(found[0])
        for found in files
        if stat.S_ISDIR(found[0].st_mode) or len(found) >= found[0].st_nlink
    )


def _files(folders: Iterable[Path]) -> dict[tuple[int, int], list[os.stat_result]]:
    """Return the `lstat` result of each file and folder, once for each of its names."""
    found: dict[tuple[int, int], list[os.stat_result]] = {}
    for folder in folders:
        for above, _, names in os.walk(folder):
            for path in (above, *(os.path.join(above, name) for name in names)):
                with contextlib.suppress(FileNotFoundError):
                    status = os.lstat(path)
                    found.setdefault((status.st_dev, status.st_ino), []).append(status)
    return found


def _blocks(status: os.stat_result) -> int:
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else blocks * 512


@contextlib.contextmanager
def folder_made(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; at the end remove those that were made and are empty."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):
            for path in missing:
                path.rmdir()


def umask_that_hides(folder: Path) -> int | None:
    """Return the umask if it keeps others from using what is made at `folder`, else None.

    Also None if others cannot reach it, or if it is in this user's home.
    """
    if sys.platform == "win32":
        return None
    umask = os.umask(0o077)
    os.umask(umask)
    at_home = os.geteuid() != 0 and folder.is_relative_to(Path.home())
    return umask if umask & 0o005 and not at_home and others_get_to(folder) else None


def others_get_to(folder: Path) -> bool:
    """Return whether other users may pass all folders above one."""
    return all(path.stat().st_mode & stat.S_IXOTH for path in folder.parents if path.exists())


def begin_flush(descriptor: int) -> None:
    """Start writing a file to disk, so that a later flush takes less time."""
    if sys.platform == "linux":
        # The kernel starts writing pages that it is told to drop.
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_file_system(path: Path) -> None:
    """Flush the file system of `path`, or all of them if the system has no call for one."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        syncfs = getattr(_libc(), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(descriptor) != 0:
            if ctypes.get_errno() != errno.ENOSYS:
                raise _last_error(path)
            os.sync()
    finally:
        os.close(descriptor)


def exchange(one: str, other: str, at: int | None, other_at: int | None) -> bool:
    """Exchange two paths in one step; return False if kernel or file system cannot.

    The paths are relative to the folders with these descriptors.
    """
    if sys.platform != "linux":
        return False
    renameat2 = getattr(_libc(), "renameat2", None)
    if renameat2 is None:
        return False
    at, other_at = (_AT_FDCWD if folder is None else folder for folder in (at, other_at))
    if renameat2(at, os.fsencode(one), other_at, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    if ctypes.get_errno() in _NOT_SUPPORTED:
        return False
    raise _last_error(Path(one))


def remove(path: Path) -> None:
    """Remove a folder with its contents, or a file; do nothing if neither exists."""
    # A read-only disk refuses even to remove what does not exist: check first.
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _last_error(path: Path) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), os.fspath(path))
