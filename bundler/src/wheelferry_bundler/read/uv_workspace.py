"""What a uv.lock says of a workspace: its members, and what belongs to none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.specifiers import SpecifierSet

from wheelferry_bundler.model.conflicts import SyntheticExtra
from wheelferry_bundler.model.locked import Dependency, LockedPackage, PackageKey
from wheelferry_bundler.read.pyproject import DEV, DefaultGroups, Pyproject

LooseGroups = Mapping[str, tuple[Dependency, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a project declares besides its edges; some of it older locks do not record."""

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    default_groups: DefaultGroups = DEV
    group_requires_python: Mapping[str, SpecifierSet] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The packages of a lock, which of them are members, and what belongs to none.

    `loose_groups` are those of a root that is itself no project, which `loose` describes;
    `requirements` are the edges of a script. `names_extras` is False where the lock is too old to
    tell which extras there are.
    """

    pyproject: Pyproject
    packages: Mapping[PackageKey, LockedPackage]
    members: tuple[PackageKey, ...]
    declared: Mapping[PackageKey, Declared]
    loose: Declared
    loose_groups: LooseGroups
    requirements: tuple[Dependency, ...]
    conflicts: tuple[frozenset[SyntheticExtra], ...]
    records_defaults: bool
    names_extras: bool

    @cached_property
    def root(self) -> PackageKey | None:
        """The member that lies in the folder of the lock."""
        at_root = (k for k in self.members if self.packages[k].source.location in ("", "."))
        return next(at_root, None)
