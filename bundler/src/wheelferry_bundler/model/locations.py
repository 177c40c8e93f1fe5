"""Where files are looked for, apart from the URLs in the lock: folders, mirrors, indexes with logins."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """Where to look for files.

    `folders` hold wheels and source archives (`--find-links`), `mirrors` are URLs of indexes
    (`--index-url`), in order of preference. `indexes` are known for their logins alone.
    """

    folders: tuple[Path, ...] = ()
    mirrors: tuple[str, ...] = field(default=(), repr=False)
    indexes: tuple[Index, ...] = ()
