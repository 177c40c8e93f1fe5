"""What a lock says, in one shape for every kind of lock.

A `LockedSet` is a graph: packages, and edges that carry markers. Nothing in it depends on a target;
`selection` walks it for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename

from wheelferry_bundler.model.conflicts import SyntheticExtra
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

SourceKind = Literal["registry", "url", "path", "git", "directory", "virtual"]
LockKind = Literal["uv.lock", "pylock.toml", "requirements.txt", "pyproject.toml", "script"]
"""What is read. Only the first two are locks; the others are resolved, for each target."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a lock names: a wheel or a source archive.

    `sha256` and `size` are None where the lock does not state them; `path` is absolute and set
    where the file lies on this host, `url` where it has to be fetched.
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
        """The wheel's tags, none where the file name is not that of a wheel."""
        return self._parsed[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageKey:
    """What tells apart two packages of one lock, which may share a name."""

    name: str
    version: str | None
    source: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """An edge: a package, with the extras asked of it, where the marker holds."""

    key: PackageKey
    extras: tuple[str, ...] = ()
    marker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """Where a package comes from.

    `location` is what a person is shown: an index, a URL without credentials, or a path relative
    to the project. `path` is the folder or file on this host, `url` (git) what pip is to clone,
    `commit` the commit that the lock fixes, `subdirectory` where the project lies in a repository
    or an archive. `leaves_project` tells that the path leads out of the folder of the lock.
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

    `requires_python` is the package's own (PEP 751); uv.lock states none. `build_requires` is what
    a build of it needs besides what its source says.
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
    """What a build needs besides what its source says, at the version that is locked if that is so."""

    text: str
    match_runtime: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Where a walk begins: a package, what of it is wanted, and whether it is itself installed.

    `extras` and `groups` are names; `itself` is False for `--only-group` and the like, where a
    project's own dependencies stay behind.
    """

    key: PackageKey
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    itself: bool = True


@dataclass(frozen=True, kw_only=True)
class LockedSet:
    """A lock together with what is wanted of it.

    `requires_python` holds for everything that is wanted. Where there are `environments`, a target
    has to satisfy one of these markers. `edges` are further starting points that belong to no
    package: the groups of a workspace without a project, or all packages of a flat lock.
    `excluded` packages are walked through but not installed. `lock_extras` and `lock_groups` fill
    the marker variables `extras` and `dependency_groups` of a pylock.toml (PEP 751). `conflicts`
    lists sets of synthetic extras of which only one may be active. `outside_allowed` tells that packages may lie outside the
    folder of the lock. `closed` tells that a resolver made it for every target that it allows:
    nothing is missing. `asked` are the packages that its source asks for, with their extras, None
    where the walk begins with these; `left_out` names what flags leave out, in the lock or not.
    `notes` say what was found out while it was resolved. `build_constraints` hold for whatever
    builds need, `extra_build_requires` are what the builds of some packages need in addition.
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
        """The names of the groups that are taken."""
        return self.lock_groups.union(*(root.groups for root in self.roots))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which extras, groups and workspace members to take; the flags and defaults of `uv sync`.

    `allow_outside_paths` allows packages that lie outside the project's folder, which uv has no flag for.
    """

    extras: tuple[str, ...] = ()
    no_extras: tuple[str, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    packages: tuple[str, ...] = ()
    all_packages: bool = False
    no_install_project: bool = False
    no_install_workspace: bool = False
    no_install_local: bool = False
    no_install_packages: tuple[str, ...] = ()
    allow_outside_paths: bool = False
