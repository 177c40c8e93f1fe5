"""The workspace in a uv.lock: its members, and what belongs to none of them."""

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
    """The declarations of a project apart from its edges; older locks record only some."""

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    default_groups: DefaultGroups = DEV
    group_requires_python: Mapping[str, SpecifierSet] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The packages of a lock, its members, and what belongs to none of them.

    `loose_groups` belong to a root that is not a project, which `loose` describes. `requirements`
    are the edges of a script. `names_extras` is false where the lock is too old to list all extras.
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
        """The member in the folder of the lock."""
        at_root = (k for k in self.members if self.packages[k].source.location in ("", "."))
        return next(at_root, None)
