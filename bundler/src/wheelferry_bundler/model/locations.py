"""Where to look for files besides the URLs in the lock: folders, mirrors, indexes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A package index.

    `url` may contain a login, `name` is its name in uv's settings, `default` is true where it
    replaces PyPI.
    """

    url: str = field(repr=False)
    name: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class WheelFolder:
    """A folder of wheels and source archives, with the file names that it had when listed."""

    path: Path
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Locations:
    """Where to look for files.

    `folders` hold wheels and source archives (`--find-links`), `mirrors` are URLs of indexes
    (`--index-url`), in order of preference. `indexes` supply logins only.
    """

    folders: tuple[WheelFolder, ...] = ()
    mirrors: tuple[str, ...] = field(default=(), repr=False)
    indexes: tuple[Index, ...] = ()

    @cached_property
    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """The files of all folders by name."""
        found: dict[str, tuple[Path, ...]] = {}
        for folder in self.folders:
            for name in folder.names:
                found[name] = (*found.get(name, ()), folder.path / name)
        return found
