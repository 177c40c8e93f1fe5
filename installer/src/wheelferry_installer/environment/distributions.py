"""Lists the distributions that are installed in an environment, and their files by RECORD."""

from __future__ import annotations

import csv
import json
import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from installer.records import InvalidRecordEntry, parse_record_file
from packaging.utils import InvalidName, canonicalize_name, canonicalize_version

from wheelferry_installer.system.digests import file_digest
from wheelferry_installer.wheel.record import spell
from wheelferry_schemas.errors import MalformedError

_METADATA = (".dist-info", ".egg-info", ".egg-link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution that is installed; `metadata` is its .dist-info, relative to the root."""

    name: str
    version: str
    metadata: str

    @property
    def record(self) -> str:
        """The path where its RECORD would be, relative to the root."""
        return f"{self.metadata}/RECORD"

    def is_version(self, version: str) -> bool:
        """Return whether it has that version, in any spelling."""
        return canonicalize_version(self.version) == canonicalize_version(version)


def distributions(root: Path, libraries: Iterable[str]) -> tuple[Distribution, ...]:
    """Return what is installed in these folders, by name and version from file names."""
    found: list[Distribution | None] = []
    for library in libraries:
        try:
            names = os.listdir(root / library)
        except FileNotFoundError:
            continue
        found += [_distribution(library, file_name) for file_name in names]
    return _sorted(found)


def distributions_among(paths: Iterable[str], libraries: Iterable[str]) -> tuple[Distribution, ...]:
    """Return the distributions whose metadata is at these paths, relative to the root."""
    entries = {
        (library, rest.partition("/")[0])
        for library in libraries
        for rest in (posixpath.relpath(path, library) for path in paths)
    }
    return _sorted(_distribution(library, file_name) for library, file_name in entries)


def _distribution(library: str, file_name: str) -> Distribution | None:
    """Return the distribution whose metadata has that file name, None if it is no metadata."""
    stem, extension = os.path.splitext(file_name)
    name, _, version = stem.partition("-")
    if extension not in _METADATA:
        return None
    try:
        normal = canonicalize_name(name, validate=True)
    except InvalidName:
        # pip renames what it removes to ~name; no tool counts that as a distribution.
        return None
    metadata = posixpath.normpath(posixpath.join(library, file_name))
    return Distribution(name=normal, version=version.split("-")[0], metadata=metadata)


def _sorted(found: Iterable[Distribution | None]) -> tuple[Distribution, ...]:
    known = (distribution for distribution in found if distribution is not None)
    return tuple(sorted(known, key=lambda distribution: (distribution.name, distribution.metadata)))


def is_editable(root: Path, distribution: Distribution) -> bool:
    """Return whether a distribution only points at a project's sources."""
    try:
        text = (root / distribution.metadata / "direct_url.json").read_text(encoding="utf-8")
        return bool(json.loads(text)["dir_info"]["editable"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return distribution.metadata.endswith(".egg-link")


def recorded_files(root: Path, record: str) -> Iterator[tuple[str, str]]:
    """Yield path and hash of each file that a RECORD lists, as `recorded_rows` does."""
    for path, digest, _ in recorded_rows(root, record):
        yield path, digest


def recorded_rows(root: Path, record: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, hash and size of each file that a RECORD lists; the latter may be empty.

    Paths are relative to `root`, and begin with `../` or `/` if they lead out of it. Raises
    `MalformedError` if RECORD is missing or cannot be read.
    """
    library = posixpath.dirname(posixpath.dirname(record))
    try:
        text = (root / record).read_text(encoding="utf-8")
        rows = list(parse_record_file(text.splitlines()))
    except (OSError, UnicodeDecodeError, InvalidRecordEntry, csv.Error) as error:
        raise MalformedError(f"{record} cannot be read") from error
    for path, digest, size in rows:
        # Nearly all paths are normal; normalizing them would double the time.
        plain = library and not path.startswith("/") and "./" not in path and "//" not in path
        joined = f"{library}/{path}" if plain else posixpath.join(library, path)
        yield (joined if plain else posixpath.normpath(joined)), digest, size


def digest_of(path: Path, like: str) -> str | None:
    """Return the hash of a file as RECORD writes it, with the algorithm of the hash `like`.

    None if the file cannot be read or the algorithm is unknown.
    """
    algorithm = like.partition("=")[0]
    digest = file_digest(path, algorithm)
    return None if digest is None else spell(algorithm, digest)
