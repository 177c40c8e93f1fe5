"""Reads uv.lock, version 1 of any revision.

Unknown keys are tolerated, as in uv. Packages of one name are distinguished by version and source.
Edges are sorted, so that the result does not depend on their order in the file.
`[package.metadata]`, which newer revisions do not write, is only used for the names in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from wheelferry_bundler.model.bundle_names import named_after
from wheelferry_bundler.model.conflicts import SyntheticExtra
from wheelferry_bundler.model.locked import Dependency, LockedPackage, LockedSet, PackageKey
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.build_settings import (
    read_constraints,
    read_extra_build_requires,
)
from wheelferry_bundler.read.project_paths import confined
from wheelferry_bundler.read.pyproject import Pyproject, read_default_groups, read_specifier
from wheelferry_bundler.read.toml_tables import Table, parse_toml
from wheelferry_bundler.read.uv_conflicts import check_conflicts
from wheelferry_bundler.read.uv_roots import Choice
from wheelferry_bundler.read.uv_sources import read_artifact, read_source, source_key
from wheelferry_bundler.read.uv_workspace import Declared, Workspace
from wheelferry_schemas.errors import MalformedError

_VERSION = 1
_NAMES_EXTRAS = 1
"""The first revision that lists the extras of a project that have no dependencies."""
_RECORDS_DEFAULTS = 5
"""The first revision that records default groups and the Pythons that groups require."""


def read_uv_lock(data: bytes, wanted: Wanted, pyproject: Pyproject) -> LockedSet:
    """Read the bytes of a uv.lock that lies beside a pyproject.toml.

    Raises `MalformedError` for an invalid lock, `UsageError` where `wanted` names an extra, a group
    or a package that it does not have, or some that conflict.
    """
    lock = parse_toml(data, "uv.lock")
    _check_version(lock)
    reader = _Reader(lock, pyproject)
    workspace = reader.workspace()
    choice = Choice(workspace=workspace, wanted=wanted)
    choice.check_names()
    check_conflicts(choice)
    requires_python = choice.requires_python
    if "requires-python" in lock:
        requires_python &= read_specifier(lock, "requires-python")
    only = choice.members[0] if len(choice.members) == 1 else workspace.root
    return LockedSet(
        closed=True,
        kind="uv.lock",
        name=only.name if only else named_after(pyproject.folder, "workspace"),
        version=only.version if only else None,
        requires_python=requires_python if len(requires_python) else None,
        packages=workspace.packages,
        environments=lock.texts("supported-markers"),
        roots=choice.roots,
        edges=choice.edges,
        excluded=choice.excluded,
        conflicts=workspace.conflicts,
        outside_allowed=wanted.allow_outside_paths,
        build_constraints=read_constraints(lock.table("manifest"), "build-constraints"),
        extra_build_requires=read_extra_build_requires(pyproject.uv_settings),
    )


def _check_version(lock: Table) -> None:
    version = lock.data.get("version")
    if "distribution" in lock:
        raise MalformedError(
            "uv.lock was written by a uv that predates its first stable lock format",
            hint="lock the project again with a current uv: uv lock",
        )
    if not isinstance(version, int) or isinstance(version, bool):
        raise MalformedError(
            "uv.lock does not state its version: it is not one of uv's locks",
            hint="lock the project again: uv lock",
        )
    if version != _VERSION:
        raise MalformedError(
            f"uv.lock has version {version}, this wheelferry reads version {_VERSION}",
            hint="upgrade wheelferry, or lock with a uv that writes version 1",
        )


@dataclass
class _Reader:
    """Converts the tables of a lock into packages and edges."""

    lock: Table
    pyproject: Pyproject

    def __post_init__(self) -> None:
        self.folder = self.pyproject.folder
        self._revision = self.lock.optional_size("revision") or 0
        self._manifest = self.lock.table("manifest")
        self._tables: dict[PackageKey, Table] = {}
        self._keys: dict[str, list[PackageKey]] = {}
        for table in self.lock.tables("package"):
            key = PackageKey(
                name=canonicalize_name(table.text("name")),
                version=table.optional_text("version"),
                source=source_key(table.table("source")),
            )
            if key in self._tables:
                raise MalformedError(f"{table.where}: {key} is listed twice")
            self._tables[key] = table
            self._keys.setdefault(key.name, []).append(key)

    def workspace(self) -> Workspace:
        packages = {key: self._package(key, table) for key, table in self._tables.items()}
        members = tuple(sorted(self._members(packages), key=lambda key: key.name))
        groups = self._manifest.table("dependency-groups")
        loose: dict[str, tuple[Dependency, ...]] = {
            canonicalize_name(name): tuple(self._edges_by_name(groups, name))
            for name in groups.data
        }
        return Workspace(
            pyproject=self.pyproject,
            packages=packages,
            members=members,
            declared={key: self._declared(packages[key]) for key in members},
            loose=Declared(
                groups=frozenset(loose),
                default_groups=read_default_groups(self._manifest),
                group_requires_python=self._group_pythons(self._manifest, self.folder),
            ),
            loose_groups=loose,
            requirements=tuple(self._edges_by_name(self._manifest, "requirements")),
            conflicts=_conflicts(self.lock),
            records_defaults=self._revision >= _RECORDS_DEFAULTS,
            names_extras=self._revision >= _NAMES_EXTRAS,
        )

    def _package(self, key: PackageKey, table: Table) -> LockedPackage:
        source = read_source(table.table("source"), self.folder)
        wheels = [read_artifact(wheel, source, self.folder) for wheel in table.tables("wheels")]
        sdist = None
        if "sdist" in table:
            sdist = read_artifact(table.table("sdist"), source, self.folder)
        return LockedPackage(
            key=key,
            source=confined(source, [*wheels, sdist], self.folder),
            wheels=tuple(wheels),
            sdist=sdist,
            dependencies=self._edges(table, "dependencies"),
            extras=self._edge_lists(table.table("optional-dependencies")),
            groups=self._edge_lists(_groups_table(table)),
        )

    def _edge_lists(self, table: Table) -> Mapping[str, tuple[Dependency, ...]]:
        return {canonicalize_name(name): self._edges(table, name) for name in table.data}

    def _edges(self, table: Table, key: str) -> tuple[Dependency, ...]:
        edges = (
            Dependency(
                key=self._find(edge),
                extras=_names(edge, "extra"),
                marker=edge.optional_text("marker"),
            )
            for edge in table.tables(key)
        )
        return tuple(sorted(edges, key=_edge_order))

    def _edges_by_name(self, table: Table, key: str) -> Iterator[Dependency]:
        """Yield edges that name no version, one for each fork of the package, with its markers."""
        for edge in table.tables(key):
            name = canonicalize_name(edge.text("name"))
            for end in self._keys.get(name, [PackageKey(name=name, version=None, source="")]):
                forks = self._tables[end].texts("resolution-markers") if end in self._tables else ()
                conditions = [f"({' or '.join(f'({fork})' for fork in forks)})"] if forks else []
                if marker := edge.optional_text("marker"):
                    conditions.append(f"({marker})")
                yield Dependency(
                    key=end,
                    extras=_names(edge, "extras"),
                    marker=" and ".join(conditions) or None,
                )

    def _find(self, edge: Table) -> PackageKey:
        name = canonicalize_name(edge.text("name"))
        version = edge.optional_text("version")
        source = source_key(edge.table("source")) if "source" in edge else None
        found = [
            key
            for key in self._keys.get(name, ())
            if version in (None, key.version) and source in (None, key.source)
        ]
        if len(found) != 1:
            how_many = "no package" if not found else "more than one package"
            raise MalformedError(
                f"{edge.where}: {how_many} of the lock is {name} {version or ''}".rstrip(),
                hint="the lock was edited or truncated: lock the project again with uv lock",
            )
        return found[0]

    def _members(self, packages: Mapping[PackageKey, LockedPackage]) -> Iterator[PackageKey]:
        """Yield the workspace's members; the lock of a single project does not list it."""
        names = set(_names(self._manifest, "members"))
        for key, package in packages.items():
            is_local = package.source.kind in ("directory", "virtual")
            at_root = package.source.location == "."
            if is_local and (key.name in names if names else at_root):
                yield key

    def _declared(self, package: LockedPackage) -> Declared:
        table = self._tables[package.key]
        metadata = table.table("metadata")
        metadata_groups = _groups_table(metadata, "requires-dev")
        return Declared(
            extras=frozenset((*package.extras, *_names(metadata, "provides-extras"))),
            groups=frozenset((*package.groups, *map(canonicalize_name, metadata_groups.data))),
            default_groups=read_default_groups(table),
            group_requires_python=self._group_pythons(table, package.source.path or self.folder),
        )

    def _group_pythons(self, table: Table, folder: Path) -> Mapping[str, SpecifierSet]:
        if self._revision < _RECORDS_DEFAULTS:
            own = self.pyproject if folder == self.folder else Pyproject.read(folder)
            return own.groups.group_requires_python
        pythons = table.table("group-requires-python")
        return {canonicalize_name(name): read_specifier(pythons, name) for name in pythons.data}


def _groups_table(table: Table, key: str = "dev-dependencies") -> Table:
    return table.table(key if key in table else "dependency-groups")


def _names(table: Table, key: str) -> tuple[str, ...]:
    return tuple(map(canonicalize_name, table.texts(key)))


def _edge_order(edge: Dependency) -> tuple[str, str, str, tuple[str, ...], str]:
    key = edge.key
    return key.name, key.version or "", key.source, edge.extras, edge.marker or ""


def _conflicts(lock: Table) -> tuple[frozenset[SyntheticExtra], ...]:
    """Read `conflicts = [[{ package, extra | group }, …], …]`."""
    sets = lock.data.get("conflicts", [])
    if not isinstance(sets, list) or not all(isinstance(items, list) for items in sets):
        raise MalformedError("uv.lock: conflicts is not a list of lists")
    conflicts = []
    for number in range(len(sets)):
        items = Table({"items": sets[number]}, f"uv.lock: conflicts[{number}]").tables("items")
        conflicts.append(frozenset(map(_conflict_item, items)))
    return tuple(conflicts)


def _conflict_item(item: Table) -> SyntheticExtra:
    package = canonicalize_name(item.text("package"))
    if "extra" in item:
        return SyntheticExtra("extra", package, canonicalize_name(item.text("extra")))
    if "group" in item:
        return SyntheticExtra("group", package, canonicalize_name(item.text("group")))
    return SyntheticExtra("project", package)
