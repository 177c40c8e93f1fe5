"""Reads uv.lock, version 1 of any revision.

Unknown keys are tolerated, as uv does. `[package.metadata]` is never read: newer revisions do not
write it. What uv calls a source tells packages of one name apart together with the version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, canonicalize_name

from wheelferry_bundler.locked import (
    Artifact,
    Dependency,
    LockedPackage,
    LockedSet,
    PackageKey,
    PackageSource,
    Wanted,
)
from wheelferry_bundler.toml_tables import Table, parse_toml
from wheelferry_bundler.urls import file_name as url_file_name
from wheelferry_bundler.urls import without_credentials
from wheelferry_bundler.uv_roots import (
    LooseGroups,
    Workspace,
    choose_excluded,
    choose_loose_edges,
    choose_roots,
)
from wheelferry_schemas.errors import MalformedError

_VERSION = 1


def read_uv_lock(data: bytes, folder: Path, wanted: Wanted) -> LockedSet:
    """Read the bytes of a uv.lock that lies in `folder`.

    Raises `MalformedError` for what is not one of uv's locks, `UsageError` where `wanted` names
    an extra, a group or a package that it does not have.
    """
    lock = parse_toml(data, "uv.lock")
    _check_version(lock)
    reader = _Reader(lock, folder)
    packages = {package.key: package for package in map(reader.package, lock.tables("package"))}
    workspace = Workspace(
        folder=folder,
        packages=packages,
        members=reader.members(packages),
        loose_groups=reader.loose_groups(),
    )
    roots = choose_roots(workspace, wanted)
    only = packages[roots[0].key] if len(roots) == 1 else None
    return LockedSet(
        kind="uv.lock",
        name=only.name if only else _name_of(folder),
        version=only.key.version if only else None,
        requires_python=_specifier(lock),
        packages=packages,
        roots=roots,
        edges=choose_loose_edges(workspace, wanted),
        excluded=choose_excluded(workspace, wanted),
        conflicts=_conflicts(lock),
    )


def _name_of(folder: Path) -> str:
    try:
        return canonicalize_name(folder.resolve().name, validate=True)
    except InvalidName:
        return "workspace"


def _check_version(lock: Table) -> None:
    version = lock.data.get("version")
    if "distribution" in lock:
        raise MalformedError(
            "uv.lock was written by a uv from before its first stable lock format",
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


def _specifier(lock: Table) -> SpecifierSet | None:
    text = lock.optional_text("requires-python")
    try:
        return None if text is None else SpecifierSet(text)
    except InvalidSpecifier as error:
        raise MalformedError(f"uv.lock: requires-python {text!r} is not a specifier") from error


@dataclass
class _Reader:
    """Turns the tables of one lock into packages and edges."""

    lock: Table
    folder: Path

    def __post_init__(self) -> None:
        self._keys: dict[str, list[PackageKey]] = {}
        for table in self.lock.tables("package"):
            key = _key(table)
            if key in self._keys.setdefault(key.name, []):
                raise MalformedError(f"{table.where}: {key} is listed twice")
            self._keys[key.name].append(key)

    def package(self, table: Table) -> LockedPackage:
        source = self._source(table.table("source"))
        sdist = self._artifact(table.table("sdist"), source) if "sdist" in table else None
        return LockedPackage(
            key=_key(table),
            source=source,
            wheels=tuple(self._artifact(wheel, source) for wheel in table.tables("wheels")),
            sdist=sdist,
            dependencies=self.edges(table, "dependencies"),
            extras=self.edge_lists(table.table("optional-dependencies")),
            groups=self.edge_lists(table.table("dev-dependencies")),
        )

    def edge_lists(self, table: Table) -> Mapping[str, tuple[Dependency, ...]]:
        return {canonicalize_name(name): self.edges(table, name) for name in table.data}

    def edges(self, table: Table, key: str) -> tuple[Dependency, ...]:
        return tuple(
            Dependency(
                key=self._find(edge),
                extras=tuple(map(canonicalize_name, edge.texts("extra"))),
                marker=edge.optional_text("marker"),
            )
            for edge in table.tables(key)
        )

    def members(self, packages: Mapping[PackageKey, LockedPackage]) -> tuple[PackageKey, ...]:
        """Return the workspace members; a lock of a single project does not list its one."""
        names = {canonicalize_name(name) for name in self.lock.table("manifest").texts("members")}
        local = [
            key
            for key, package in packages.items()
            if package.source.kind in ("directory", "virtual")
        ]
        if names:
            return tuple(key for key in local if key.name in names)
        return tuple(key for key in local if packages[key].source.location == ".")

    def loose_groups(self) -> LooseGroups:
        """Return the groups of a workspace root that is no project; its edges name no version."""
        groups = self.lock.table("manifest").table("dependency-groups")
        return {
            canonicalize_name(name): tuple(
                Dependency(
                    key=key,
                    extras=tuple(map(canonicalize_name, edge.texts("extras"))),
                    marker=edge.optional_text("marker"),
                )
                for edge in groups.tables(name)
                for key in self._keys.get(canonicalize_name(edge.text("name")), ())
            )
            for name in groups.data
        }

    def _find(self, edge: Table) -> PackageKey:
        name = canonicalize_name(edge.text("name"))
        version = edge.optional_text("version")
        source = _source_key(edge.table("source")) if "source" in edge else None
        found = [
            key
            for key in self._keys.get(name, ())
            if version in (None, key.version) and source in (None, key.source)
        ]
        if len(found) != 1:
            how_many = "no package" if not found else "more than one package"
            raise MalformedError(
                f"{edge.where}: {how_many} of the lock is {name} {version or ''}".rstrip(),
                hint="the lock was edited or cut short: lock the project again with uv lock",
            )
        return found[0]

    def _source(self, table: Table) -> PackageSource:
        if "registry" in table:
            location = table.text("registry")
            if "://" in location:
                return PackageSource(kind="registry", location=without_credentials(location))
            return PackageSource(kind="registry", location=location, path=self.folder / location)
        if "url" in table:
            return PackageSource(kind="url", location=without_credentials(table.text("url")))
        if "git" in table:
            return _git_source(table)
        for key in ("path", "directory", "editable", "virtual"):
            if key in table:
                location = table.text(key)
                return PackageSource(
                    kind="directory" if key == "editable" else key,  # type: ignore[arg-type]
                    location=location,
                    path=self.folder / location,
                )
        raise MalformedError(
            f"{table.where}: unknown kind of source {sorted(table.data)}",
            hint="upgrade wheelferry if a newer uv wrote this lock",
        )

    def _artifact(self, table: Table, source: PackageSource) -> Artifact:
        url = table.optional_text("url")
        path = table.optional_text("path")
        if url is None and path is None and source.kind == "url":
            url = source.location
        file_name = table.optional_text("filename")
        if path is not None and source.path is not None:
            location: Path | None = source.path / path
        elif path is not None:
            location = self.folder / path
        else:
            location = source.path if source.kind == "path" else None
        if file_name is None:
            file_name = url_file_name(url) if url else None
        if file_name is None and location is not None:
            file_name = location.name
        if not file_name:
            raise MalformedError(f"{table.where}: it names no file")
        return Artifact(
            file_name=file_name,
            url=url,
            path=location,
            sha256=_sha256(table),
            size=table.optional_size("size"),
        )


def _key(table: Table) -> PackageKey:
    return PackageKey(
        name=canonicalize_name(table.text("name")),
        version=table.optional_text("version"),
        source=_source_key(table.table("source")),
    )


def _source_key(table: Table) -> str:
    return json.dumps(table.data, sort_keys=True, default=str)


def _git_source(table: Table) -> PackageSource:
    """Read `https://host/repo?rev=main&subdirectory=x#commit`."""
    parts = urlsplit(table.text("git"))
    if not parts.fragment:
        raise MalformedError(f"{table.where}: the git source states no commit")
    query = dict(item.partition("=")[::2] for item in parts.query.split("&") if item)
    url = parts._replace(query="", fragment="").geturl()
    return PackageSource(
        kind="git",
        location=without_credentials(url),
        url=url,
        commit=parts.fragment,
        subdirectory=unquote(query["subdirectory"]) if "subdirectory" in query else None,
    )


def _sha256(table: Table) -> str | None:
    text = table.optional_text("hash")
    if text is None:
        return None
    algorithm, _, digest = text.partition(":")
    if algorithm != "sha256":
        return None
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise MalformedError(f"{table.where}: {text!r} is not a hash")
    return digest


def _conflicts(lock: Table) -> tuple[frozenset[str], ...]:
    """Read `conflicts = [[{ package, extra | group }, …], …]` as sets of synthetic extras."""
    sets = lock.data.get("conflicts", [])
    if not isinstance(sets, list) or not all(isinstance(items, list) for items in sets):
        raise MalformedError("uv.lock: conflicts is not a list of lists")
    conflicts = []
    for number in range(len(sets)):
        items = Table({"items": sets[number]}, f"uv.lock: conflicts[{number}]").tables("items")
        conflicts.append(frozenset(map(_synthetic_extra, items)))
    return tuple(conflicts)


def _synthetic_extra(item: Table) -> str:
    package = canonicalize_name(item.text("package"))
    for kind in ("extra", "group"):
        if kind in item:
            return f"{kind}-{len(package)}-{package}-{canonicalize_name(item.text(kind))}"
    return f"project-{len(package)}-{package}"
