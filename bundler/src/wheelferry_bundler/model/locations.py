"""Where files may be had besides where the lock says: folders, mirrors, indexes with a login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wheelferry_bundler.model.locked import Artifact
from wheelferry_bundler.model.urls import local_path
from wheelferry_bundler.read.index_settings import Index
from wheelferry_schemas.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Places to look for files.

    `folders` hold wheels and source archives (`--find-links`), `mirrors` are URLs of indexes
    (`--index-url`), in order of preference. `indexes` are known for their logins only.
    """

    folders: tuple[Path, ...] = ()
    mirrors: tuple[str, ...] = field(default=(), repr=False)
    indexes: tuple[Index, ...] = ()

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """Return the files of the folders by name; raises `UsageError` where one is no folder."""
        found: dict[str, tuple[Path, ...]] = {}
        for folder in self.folders:
            try:
                entries = sorted(entry for entry in folder.iterdir() if entry.is_file())
            except OSError as error:
                raise UsageError(
                    f"--find-links {folder} cannot be read: {error.strerror}",
                    hint="name a folder of wheels",
                ) from error
            for entry in entries:
                found[entry.name] = (*found.get(entry.name, ()), entry)
        return found


def file_here(artifact: Artifact) -> Path | None:
    """Return the file on this host that a lock names by its path, None for any other."""
    return artifact.path or (local_path(artifact.url) if artifact.url else None)
