"""Opens a folder once, and reaches what is below it without following any link.

Paths are relative and use slashes. A path through a link counts as absent. If the system cannot
open folders (Windows), paths are followed from the root and checked for links.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wheelferry_installer.system import disk

RELATIVE = sys.platform != "win32"
"""Whether files can be reached relative to an open folder."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LARGEST = 2**28
_MOST_OPEN = 8
_ABSENT = (FileNotFoundError, NotADirectoryError)
_NOT_PLAIN = (errno.ELOOP, errno.ENXIO, errno.EISDIR)
_STAYS = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)


class NotPlainError(OSError):
    """A link, a pipe or a folder is in the place of a plain file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFolder:
    """A folder; `descriptor` is None if it is reached by path."""

    path: Path
    descriptor: int | None
    _parents: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    """The folders that were reached last, open: neighbours follow each other."""

    def status(self, path: str = "") -> os.stat_result | None:
        """Return the `lstat` result of a path, None if it does not exist."""
        try:
            if not path:
                return self.path.stat() if self.descriptor is None else os.fstat(self.descriptor)
            at, name = self._at(path)
            return os.stat(name, dir_fd=at, follow_symlinks=False)
        except _ABSENT:
            return None

    def has(self, path: str) -> bool:
        """Return whether a path exists."""
        return self.status(path) is not None

    def has_folder(self, path: str) -> bool:
        """Return whether a path is a folder, not a link to one."""
        found = self.status(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def first_link(self, path: str) -> str | None:
        """Return the first of the folders that a path leads through that is a link."""
        parts = path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            found = self.status(folder := "/".join(parts[:end]))
            if found is None:
                return None
            if is_link(found):
                return folder
        return None

    def names(self, path: str = "") -> list[str]:
        """Return the sorted names in a folder, none if it does not exist."""
        if path and not self.has_folder(path):
            return []
        if self.descriptor is None:
            return sorted(os.listdir(self.path / path))
        descriptor = self._open_folder(path)
        try:
            return sorted(os.listdir(descriptor))
        finally:
            os.close(descriptor)

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """Open a plain file; raises `NotPlainError` if the path is something else."""
        at, name = self._at(path)
        if at is None and (found := self.status(path)) is not None and is_link(found):
            raise NotPlainError(errno.ELOOP, os.strerror(errno.ELOOP), name)
        try:
            descriptor = os.open(name, flags | _PLAIN, mode, dir_fd=at)
        except OSError as error:
            if error.errno in _NOT_PLAIN:
                raise NotPlainError(error.errno, error.strerror, error.filename) from error
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotPlainError(errno.EINVAL, "not a plain file", os.fspath(self.path / path))
        return descriptor

    def read(self, path: str) -> bytes:
        """Return the contents of a plain file; raises as `open`."""
        with open(self.open(path, os.O_RDONLY), "rb") as file:
            return file.read(_LARGEST)

    def write(self, path: str, data: bytes, *, sync: bool) -> None:
        """Write a file so that after a crash at any instant it exists as a whole or not at all."""
        unfinished = f"{path}.unfinished"
        with contextlib.suppress(FileNotFoundError):
            self.unlink(unfinished)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(self.open(unfinished, flags), "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        self.rename(unfinished, self, path)
        if sync:
            self.sync(path.rpartition("/")[0])

    def rename(self, path: str, other: OpenFolder, target: str) -> None:
        """Move a path to another folder, or within this one."""
        if "/" not in path:
            self.forget()
        (at, name), (target_at, target_name) = self._at(path), other._at(target)
        os.replace(name, target_name, src_dir_fd=at, dst_dir_fd=target_at)

    def exchange(self, path: str, other: OpenFolder, target: str) -> bool:
        """Exchange two paths in one step; return False if kernel or file system cannot."""
        (at, name), (target_at, target_name) = self._at(path), other._at(target)
        return disk.exchange(name, target_name, at, target_at)

    def make(self, path: str, mode: int = 0o777) -> None:
        """Make a folder unless it exists."""
        self.forget()
        at, name = self._at(path)
        try:
            os.mkdir(name, mode, dir_fd=at)
        except FileExistsError:
            if not self.has_folder(path):
                raise

    def chmod(self, path: str, mode: int) -> None:
        """Set the mode of a folder."""
        if self.descriptor is None:
            os.chmod(self._at(path)[1], mode)
            return
        descriptor = self._open_folder(path)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)

    def unlink(self, path: str) -> None:
        """Remove a file or a link."""
        at, name = self._at(path)
        os.unlink(name, dir_fd=at)

    def remove_empty(self, path: str) -> None:
        """Remove a folder if it exists and is empty."""
        self.forget()
        try:
            at, name = self._at(path)
            os.rmdir(name, dir_fd=at)
        except OSError as error:
            if error.errno not in _STAYS:
                raise

    def remove(self, path: str) -> None:
        """Remove a folder with its contents, or a file; do nothing if neither exists."""
        self.forget()
        # A read-only disk refuses even to remove what does not exist: check first.
        if not self.has(path):
            return
        if not self.has_folder(path):
            self.unlink(path)
            return
        at, name = self._at(path)
        if at is None:
            disk.remove(Path(name))
            return
        for _, folders, files, inside in os.fwalk(name, topdown=False, dir_fd=at):
            for file in files:
                os.unlink(file, dir_fd=inside)
            for folder in folders:
                found = os.stat(folder, dir_fd=inside, follow_symlinks=False)
                (os.unlink if is_link(found) else os.rmdir)(folder, dir_fd=inside)
        os.rmdir(name, dir_fd=at)

    def sync(self, path: str = "") -> None:
        """Flush the entries of a folder, if the system can."""
        if self.descriptor is None:
            return
        descriptor = self._open_folder(path)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def is_still_there(self) -> bool:
        """Return whether the folder's path still leads to it."""
        try:
            return self.descriptor is None or os.path.samestat(
                os.fstat(self.descriptor), os.lstat(self.path)
            )
        except _ABSENT:
            return False

    def _at(self, path: str) -> tuple[int | None, str]:
        """Return the open parent folder of a path, and its name there."""
        folder, _, name = path.rpartition("/")
        if self.descriptor is None:
            self._refuse_links(folder)
            return None, os.path.join(self.path, path)
        if not folder:
            return self.descriptor, name
        if folder not in self._parents:
            if len(self._parents) >= _MOST_OPEN:
                self.forget()
            at = self.descriptor
            for part in folder.split("/"):
                try:
                    inner = _open_folder(part, at)
                finally:
                    if at != self.descriptor:
                        os.close(at)
                at = inner
            self._parents[folder] = at
        return self._parents[folder], name

    def _open_folder(self, path: str) -> int:
        at, name = self._at(f"{path}/." if path else ".")
        return _open_folder(name, at)

    def _refuse_links(self, folder: str) -> None:
        path = self.path
        for part in filter(None, folder.split("/")):
            path /= part
            if is_link(path.lstat()):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))

    def forget(self) -> None:
        """Close the cached folders."""
        while self._parents:
            os.close(self._parents.popitem()[1])


@contextlib.contextmanager
def opened(path: Path) -> Iterator[OpenFolder]:
    """Open an existing folder; raises `OSError` if it is a link or a file."""
    if RELATIVE:
        descriptor = _open_folder(path, None)
        folder = OpenFolder(path=path, descriptor=descriptor)
        try:
            yield folder
        finally:
            folder.forget()
            os.close(descriptor)
        return
    if not stat.S_ISDIR((found := path.lstat()).st_mode) or is_link(found):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
    yield OpenFolder(path=path, descriptor=None)


def _open_folder(path: str | Path, at: int | None) -> int:
    """Open a folder; raises `NotADirectoryError` if it is a link, on every system."""
    try:
        return os.open(path, _FOLDER, dir_fd=at)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from error


def is_link(found: os.stat_result) -> bool:
    """Return whether `lstat` found a link, or a reparse point of Windows."""
    reparse = getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_file_attributes", 0) & reparse)
