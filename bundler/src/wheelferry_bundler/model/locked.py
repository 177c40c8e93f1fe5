"""The content of a lock, in one form for every kind of lock.

A `LockedSet` is a graph of packages whose edges carry markers. It is independent of targets;
`select.selection` walks it for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    BuildTag,
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
)

from wheelferry_bundler.model.conflicts import SyntheticExtra
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

SourceKind = Literal["registry", "url", "path", "git", "directory", "virtual"]
LockKind = Literal["uv.lock", "pylock.toml", "requirements.txt", "pyproject.toml", "script"]
"""The kinds of input. Only the first two are locks; the others are resolved for each target."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a lock names: a wheel or a source archive.

    `sha256` and `size` are None where the lock does not state them. `path` (absolute) is set for a
    file on this host, `url` for one to fetch.
    """

    file_name: str
    url: str | None = None
    path: Path | None = None
    sha256: str | None = None
    size: int | None = None

    @cached_property
    def _parsed(self) -> tuple[str, str, BuildTag, frozenset[Tag]]:
        try:
            name, version, build, tags = parse_wheel_name(self.file_name)
        except InvalidWheelFilename:
            return "", "", (), frozenset()
        return name, str(version), build, tags

    @property
    def name_and_version(self) -> tuple[str, str]:
        """The normalized name and the version that a wheel's file name states."""
        return self._parsed[:2]

    @property
    def build(self) -> BuildTag:
        """The wheel's build tag: the tie-breaker between wheels of the same tags."""
        return self._parsed[2]

    @property
    def tags(self) -> frozenset[Tag]:
        """The wheel's tags, empty where the file name is not that of a wheel."""
        return self._parsed[3]


def project_of(file_name: str) -> str | None:
    """Return the normalized project name of a wheel or source archive, None for other files."""
    try:
        return parse_wheel_name(file_name)[0]
    except InvalidWheelFilename:
        pass
    try:
        return parse_sdist_filename(file_name)[0]
    except InvalidSdistFilename:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageKey:
    """The identity of a package in a lock, where several may share a name."""

    name: str
    version: str | None
    source: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """An edge to a package and the extras requested of it, valid where the marker holds."""

    key: PackageKey
    extras: tuple[str, ...] = ()
    marker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """Where a package comes from.

    `location` is for display: an index, a URL without credentials, or a path relative to the
    project. `path` is the folder or file on this host, `url` (git) the repository to clone,
    `commit` the locked commit, `subdirectory` the project's folder in a repository or archive.
    `leaves_project` is true where a path leads out of the folder of the lock.
    """

    kind: SourceKind
    location: str
    path: Path | None = None
    url: str | None = None
    commit: str | None = None
    subdirectory: str | None = None
    leaves_project: bool = False


@dataclass(frozen=True, kw_only=True)
class LockedPackage:
    """A package at a version, with its files and its edges.

    `requires_python` is the package's own (PEP 751); uv.lock states none. `build_requires` are
    build requirements in addition to those that its source states.
    """

    key: PackageKey
    source: PackageSource
    wheels: tuple[Artifact, ...] = ()
    sdist: Artifact | None = None
    requires_python: SpecifierSet | None = None
    dependencies: tuple[Dependency, ...] = ()
    extras: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    build_requires: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The normalized name (PEP 503)."""
        return self.key.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRequirement:
    """An additional build requirement; `match_runtime` pins it to the locked version."""

    text: str
    match_runtime: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A starting point of a walk: a package with the extras and groups to take.

    `itself` is false for `--only-group` and the like: the project's own dependencies are left out.
    """

    key: PackageKey
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    itself: bool = True


@dataclass(frozen=True, kw_only=True)
class LockedSet:
    """A lock, and the selection that was requested from it.

    `requires_python` applies to the whole selection. If there are `environments`, a target has to
    satisfy one of these markers. `edges` are starting points that belong to no package: the groups
    of a workspace without a project, or all packages of a flat lock. `excluded` packages are
    walked through but not installed. `lock_extras` and `lock_groups` are the values of the marker
    variables `extras` and `dependency_groups` in a pylock.toml (PEP 751). Of each set in
    `conflicts`, only one item may be active. With `outside_allowed`, packages may lie outside the
    folder of the lock. `closed` means that a resolver produced the lock for every target that it
    allows, so that nothing is missing. `asked` are the packages that the source requests, with
    their extras; None if they are the starting points of the walk. `left_out` are names that flags
    exclude, whether or not the lock has them. `notes` are messages from resolving.
    `build_constraints` apply to all build requirements, `extra_build_requires` add to those of
    some packages.
    """

    kind: LockKind
    name: str
    version: str | None
    requires_python: SpecifierSet | None
    packages: Mapping[PackageKey, LockedPackage]
    environments: tuple[str, ...] = ()
    roots: tuple[Root, ...] = ()
    edges: tuple[Dependency, ...] = ()
    excluded: frozenset[PackageKey] = frozenset()
    lock_extras: frozenset[str] = frozenset()
    lock_groups: frozenset[str] = frozenset()
    conflicts: tuple[frozenset[SyntheticExtra], ...] = ()
    outside_allowed: bool = False
    closed: bool = False
    asked: Mapping[str, frozenset[str]] | None = None
    left_out: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    extra_build_requires: Mapping[str, tuple[ExtraRequirement, ...]] = field(default_factory=dict)

    @property
    def groups(self) -> frozenset[str]:
        """The names of the selected groups."""
        return self.lock_groups.union(*(root.groups for root in self.roots))
