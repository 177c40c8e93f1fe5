"""What an installation into an existing environment does to its files; computed before any is done.

All paths are relative to one root and have slashes.
"""

from __future__ import annotations

import json
import os
import posixpath
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wheelferry_schemas.errors import MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file or link; size and time of change tell whether it still is that one."""

    path: str
    size: int
    modified: int

    @classmethod
    def at(cls, root: Path, path: str) -> KnownFile:
        """Describe the file at a path."""
        status = (root / path).lstat()
        return cls(path=path, size=status.st_size, modified=status.st_mtime_ns)

    def is_that(self, found: os.stat_result | None) -> bool:
        """Return whether what `lstat` has found is this file, unchanged."""
        return (
            found is not None
            and not stat.S_ISDIR(found.st_mode)
            and (found.st_size, found.st_mtime_ns) == (self.size, self.modified)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Files that are taken away, folders removed, folders made, files put: in this order.

    Folders to remove come with their mode, the inner ones first; folders to make the outer ones
    first. A file that is replaced is both taken and put. `keep` tells whether the way back is kept.
    """

    taken: tuple[KnownFile, ...]
    removed: tuple[tuple[str, int], ...]
    made: tuple[str, ...]
    put: tuple[KnownFile, ...]
    keep: bool

    def serialize(self) -> bytes:
        """Return the changes as JSON."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A change that is done backwards, or, when it was undone, once more.

    `way` is the folder of the journal that holds it: `previous` or `undone`.
    """

    way: str
    planned: Changes

    @property
    def back(self) -> bool:
        """Whether it is done backwards."""
        return self.way == "previous"

    @property
    def going(self) -> tuple[str, ...]:
        """The files that leave the tree; some come as others."""
        return tuple(file.path for file in (self.planned.put if self.back else self.planned.taken))

    @property
    def coming(self) -> dict[str, str]:
        """The files that come into the tree, and where in the control folder they lie."""
        if self.back:
            taken = enumerate(self.planned.taken)
            return {file.path: f"{self.way}/old/{number}" for number, file in taken}
        return {file.path: f"{self.way}/new/{file.path}" for file in self.planned.put}


def parse(data: bytes) -> Changes:
    """Read changes; raises `MalformedError`."""
    try:
        raw = json.loads(data)
        return Changes(
            taken=tuple(_known(file) for file in raw["taken"]),
            removed=tuple((_inside(path), _number(mode, 0o7777)) for path, mode in raw["removed"]),
            made=tuple(_inside(path) for path in raw["made"]),
            put=tuple(_known(file) for file in raw["put"]),
            keep=bool(raw["keep"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedError(
            "the journal of an installation cannot be read",
            hint="wheelferry writes it as a whole: it was changed since, or the disk is failing",
        ) from error


def compute(
    root: Path, staged: Path, taken: Collection[str], lasting: Collection[str], *, keep: bool
) -> Changes:
    """Compute what puts all files below `staged` into `root`, and takes `taken` away.

    Folders that become empty go, except `lasting` ones.
    """
    put = tuple(KnownFile.at(staged, path) for path in files_below(staged))
    needed = {folder for file in put for folder in parents(file.path)}
    return Changes(
        taken=tuple(KnownFile.at(root, path) for path in sorted(taken)),
        removed=_emptied(root, taken, needed | set(lasting)),
        made=tuple(folder for folder in sorted(needed) if not (root / folder).is_dir()),
        put=put,
        keep=keep,
    )


def files_below(folder: Path) -> Iterator[str]:
    """Yield the paths of all files and links below a folder, sorted within each folder."""
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            yield from (f"{name}/{below}" for below in files_below(path))
        else:
            yield name


def parents(path: str) -> Iterator[str]:
    """Yield the folders that a path lies in, the inner ones first, without the root."""
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)


def cached_modules(root: Path, modules: Iterable[str]) -> Iterator[str]:
    """Yield the compiled modules that Python keeps beside these sources."""
    for path in modules:
        folder, name = posixpath.split(path)
        stem, extension = posixpath.splitext(name)
        cache = posixpath.join(folder, "__pycache__")
        if extension == ".py" and not (root / cache).is_symlink():
            for found in (root / cache).glob(f"{stem}.*.pyc"):
                yield f"{cache}/{found.name}"


def _emptied(
    root: Path, taken: Collection[str], staying: Collection[str]
) -> tuple[tuple[str, int], ...]:
    """Return the folders that become empty, with their modes, inner ones first."""
    going = set(taken)
    emptied = []
    candidates = {folder for path in taken for folder in parents(path)} - set(staying)
    for folder in sorted(candidates, key=lambda folder: (-folder.count("/"), folder)):
        path = root / folder
        if path.is_symlink() or not path.is_dir():
            continue
        if all(f"{folder}/{name}" in going for name in os.listdir(path)):
            going.add(folder)
            emptied.append((folder, stat.S_IMODE(path.stat().st_mode)))
    return tuple(emptied)


def _known(raw: dict[str, object]) -> KnownFile:
    return KnownFile(
        path=_inside(raw["path"]), size=_number(raw["size"]), modified=_number(raw["modified"])
    )


def _number(value: object, most: int = 2**63) -> int:
    # JSON also has 1e999, which is a float, and `true`, which Python takes for 1.
    if type(value) is not int or not -most <= value <= most:
        raise ValueError(value)
    return value


def _inside(path: object) -> str:
    """Return a path that stays below a root by its spelling: plain names and slashes."""
    if not isinstance(path, str) or "\0" in path or os.path.isabs(path):
        raise ValueError(path)
    if any(part in ("", ".", "..") for part in path.replace(os.sep, "/").split("/")):
        raise ValueError(path)
    return path
