"""The content-addressed cache: files under the sha256 of their content.

A file is moved in as a whole, under its final name, once its hash is known. So every file in the
cache was correct when it arrived; it is hashed again when it is used.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from platformdirs import user_cache_path

from wheelferry_schemas.errors import ConflictError
from wheelferry_schemas.host_rules.writers import is_shared, why_not_believed

VARIABLE = "WHEELFERRY_CACHE_DIR"


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of files by hash, and of unfinished downloads."""

    folder: Path

    @classmethod
    def default(cls) -> Cache:
        """Return this user's cache, or the one that `WHEELFERRY_CACHE_DIR` names.

        Raises `ConflictError` where others can write to it.
        """
        named = os.environ.get(VARIABLE)
        folder = Path(named or user_cache_path("wheelferry", appauthor=False))
        if folder.exists():
            _refuse_foreign(folder)
        return cls(folder)

    def make(self) -> None:
        """Create the folder, writable by this user only; raises `ConflictError` as `default`."""
        if not self.folder.exists():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            shared = is_shared(self.folder.parent.stat().st_mode)
            self.folder.mkdir(0o700 if shared else 0o755, exist_ok=True)
        _refuse_foreign(self.folder)

    def path(self, sha256: str) -> Path:
        """Return the path for a file of that hash, whether or not it exists."""
        return self.folder / "sha256" / sha256[:2] / sha256[2:]

    def partial(self, sha256: str) -> Path:
        """Return the path for an unfinished download of that hash."""
        self.make()
        path = self.folder / "partial" / sha256
        path.parent.mkdir(exist_ok=True)
        return path

    def get(self, sha256: str, size: int | None = None) -> Path | None:
        """Return the file of that hash, None where there is none or its size is not `size`."""
        path = self.path(sha256)
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            return None
        return path if size in (None, found) else None

    def adopt(self, path: Path, sha256: str) -> Path:
        """Move a file with that hash into the cache; returns its new path."""
        self.make()
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        return target

    def metadata_path(self, sha256: str) -> Path:
        """Return the path for an index's METADATA of the wheel of that hash."""
        return self.folder / "metadata" / sha256[:2] / sha256[2:]

    def keep_metadata(self, sha256: str, data: bytes) -> None:
        """Keep METADATA of the wheel of that hash."""
        self.make()
        path = self.metadata_path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)

    def drop(self, sha256: str) -> None:
        """Remove a damaged file."""
        self.path(sha256).unlink(missing_ok=True)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Provide a private folder on the same file system as the cache."""
        self.make()
        with TemporaryDirectory(dir=self.folder, prefix="work-") as folder:
            yield Path(folder)


def _refuse_foreign(folder: Path) -> None:
    """Raise `ConflictError` where others can write to the cache: their files would be installed."""
    status = folder.stat()
    if not hasattr(os, "geteuid"):
        return
    doubt = why_not_believed(status.st_mode, status.st_uid, user=os.geteuid(), kind="folder")
    if doubt is not None:
        raise ConflictError(
            f"the cache {folder} {doubt.text}",
            hint=f"check its content, then: chmod go-w {shlex.quote(os.fspath(folder))}; or name "
            f"another folder with {VARIABLE}",
        )
