"""Resolves the dependencies of a pyproject.toml that has no lock (PEP 621, 735), with uv.

The project itself is included, as it would be from a lock. A workspace needs a lock, which alone
records its members.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.dependency_groups import resolve_dependency_groups
from packaging.utils import canonicalize_name

from wheelferry_bundler.model.bundle_names import named_after
from wheelferry_bundler.model.locked import (
    Dependency,
    LockedPackage,
    LockedSet,
    PackageKey,
    PackageSource,
)
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.build_settings import (
    read_constraints,
    read_extra_build_requires,
)
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.read.pyproject import (
    DEV,
    Pyproject,
    asked_by,
    read_default_groups,
    read_specifier,
)
from wheelferry_bundler.read.toml_tables import Table
from wheelferry_bundler.resolve.uv_resolving import Resolved, UvQuestion, resolve
from wheelferry_schemas.errors import UsageError
from wheelferry_schemas.target import Target

_NOTHING = b'lock-version = "1.0"\ncreated-by = "wheelferry"\npackages = []\n'


def read_unlocked_project(
    path: Path, target: Target, wanted: Wanted, options: BuildOptions
) -> LockedSet:
    """Resolve the dependencies of a project for one target; flags and defaults are uv's.

    Raises `UsageError` for extras and groups that the project does not have, and as `resolve`.
    """
    folder = path.resolve().parent
    pyproject = Pyproject.read(folder)
    table = pyproject.table or Table({}, path.name)
    project = table.table("project")
    if wanted.packages or wanted.all_packages:
        raise UsageError(
            "--package and --all-packages need a lock, which knows the members of a workspace",
            hint="lock the project first: uv lock",
        )
    extras = _extras(project, wanted)
    groups = _groups(table, wanted)
    question = UvQuestion(
        about=path.name,
        folder=folder,
        arguments=[
            *((path.name,) if project.data and not wanted.only_groups else ()),
            *(f"--extra={extra}" for extra in extras),
            *(f"--group={group}" for group in groups),
        ],
        options=options,
    )
    resolved = resolve(question, target) if question.arguments else Resolved(lock=_NOTHING)
    name = canonicalize_name(project.optional_text("name") or named_after(folder, "project"))
    locked = read_pylock(
        resolved.lock, folder, _answered(wanted), name=name, kind="pyproject.toml", closed=True
    )
    installed = bool(project.data) and _is_package(table) and not _is_left_out(name, wanted)
    listed = () if installed or wanted.only_groups else _listed(project, extras)
    in_groups = resolve_dependency_groups(table.table("dependency-groups").data, *groups)
    settings = pyproject.uv_settings
    locked = dataclasses.replace(
        locked,
        asked=asked_by((*listed, *in_groups)),
        build_constraints=read_constraints(settings, "build-constraint-dependencies"),
        extra_build_requires=read_extra_build_requires(settings),
    )
    if not project.data:
        return resolved.narrowed(locked)
    version = project.optional_text("version")
    stated = "requires-python" in project
    requires_python = read_specifier(project, "requires-python") if stated else None
    locked = resolved.narrowed(dataclasses.replace(locked, version=version), requires_python)
    return _with_project(locked, name, version, folder) if installed else locked


def _listed(project: Table, extras: Iterable[str]) -> Iterator[str]:
    """Yield the dependencies of a project and of some of its extras."""
    yield from project.texts("dependencies")
    optional = project.table("optional-dependencies")
    for extra in optional.data:
        if canonicalize_name(extra) in extras:
            yield from optional.texts(extra)


def _answered(wanted: Wanted) -> Wanted:
    """Return the part of `wanted` that applies to the resulting lock."""
    return dataclasses.replace(
        wanted,
        extras=(),
        no_extras=(),
        all_extras=False,
        groups=(),
        no_groups=(),
        only_groups=(),
        all_groups=False,
        no_default_groups=False,
    )


def _is_left_out(name: str, wanted: Wanted) -> bool:
    return (
        bool(wanted.only_groups)
        or wanted.no_install_project
        or wanted.no_install_workspace
        or wanted.no_install_local
        or name in set(map(canonicalize_name, wanted.no_install_packages))
    )


def _with_project(locked: LockedSet, name: str, version: str | None, folder: Path) -> LockedSet:
    package = LockedPackage(
        key=PackageKey(name=name, version=version, source="."),
        source=PackageSource(kind="directory", location=".", path=folder),
    )
    others = {key: other for key, other in locked.packages.items() if key.name != name}
    edges = (edge for edge in locked.edges if edge.key.name != name)
    return dataclasses.replace(
        locked,
        packages={package.key: package, **others},
        edges=(Dependency(key=package.key), *edges),
        asked={name: frozenset(), **(locked.asked or {})},
    )


def _is_package(table: Table) -> bool:
    """Return whether the project is to be installed; the rule is uv's."""
    stated = table.table("tool").table("uv").data.get("package")
    return stated if isinstance(stated, bool) else "build-system" in table


def _extras(project: Table, wanted: Wanted) -> list[str]:
    known: set[str] = set(map(canonicalize_name, project.table("optional-dependencies").data))
    asked = _known("extra", wanted.extras, known)
    left_out = _known("extra", wanted.no_extras, known)
    return sorted((known if wanted.all_extras else asked) - left_out)


def _groups(table: Table, wanted: Wanted) -> list[str]:
    uv = table.table("tool").table("uv")
    known: set[str] = set(map(canonicalize_name, table.table("dependency-groups").data))
    # `--no-dev` is allowed in a project without a group dev.
    left_out = _known("group", wanted.no_groups, known | DEV)
    if wanted.only_groups:
        return sorted(_known("group", wanted.only_groups, known) - left_out)
    defaults = read_default_groups(uv)
    chosen = _known("group", wanted.groups, known)
    if wanted.all_groups or (defaults is None and not wanted.no_default_groups):
        chosen = known
    elif defaults is not None and not wanted.no_default_groups:
        chosen |= known & defaults
    return sorted(chosen - left_out)


def _known(what: str, asked: Iterable[str], known: set[str] | frozenset[str]) -> set[str]:
    names: set[str] = set(map(canonicalize_name, asked))
    if unknown := sorted(names - known):
        raise UsageError(
            f"pyproject.toml has no {what} {', '.join(map(repr, unknown))}",
            hint=f"it has: {', '.join(sorted(known)) or 'none'}",
        )
    return names
