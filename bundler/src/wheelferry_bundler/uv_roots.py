"""Where a walk through a uv.lock begins: the members, extras and groups that `uv sync` would take."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from wheelferry_bundler.locked import Dependency, LockedPackage, PackageKey, Root, Wanted
from wheelferry_bundler.project import Project
from wheelferry_schemas.errors import UsageError

LooseGroups = Mapping[str, tuple[Dependency, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The packages of a lock, which of them are members, and the groups that belong to none.

    `loose_groups` are those of a workspace root that is itself no project.
    """

    folder: Path
    packages: Mapping[PackageKey, LockedPackage]
    members: tuple[PackageKey, ...]
    loose_groups: LooseGroups

    def is_at_root(self, key: PackageKey) -> bool:
        """Whether a member lies in the folder of the lock."""
        return self.packages[key].source.location == "."


def choose_roots(workspace: Workspace, wanted: Wanted) -> tuple[Root, ...]:
    """Return the members that are wanted, each with its extras and groups.

    Raises `UsageError` where a member, an extra or a group does not exist.
    """
    chosen = _choose_members(workspace, wanted)
    project = _project(workspace, chosen)
    packages = [workspace.packages[key] for key in chosen]
    groups = _group_names(workspace, project, packages, wanted)
    extras = _extra_names(project, packages, wanted)
    return tuple(
        Root(
            key=package.key,
            extras=tuple(sorted(extras & set(package.extras))),
            groups=tuple(sorted(groups & set(package.groups))),
            itself=not wanted.only_groups,
        )
        for package in packages
    )


def choose_loose_edges(workspace: Workspace, wanted: Wanted) -> tuple[Dependency, ...]:
    """Return the edges of the wanted groups that belong to no project."""
    if wanted.packages or not workspace.loose_groups:
        return ()
    chosen = _choose_members(workspace, wanted)
    packages = [workspace.packages[key] for key in chosen]
    groups = _group_names(workspace, _project(workspace, chosen), packages, wanted)
    return tuple(edge for group in sorted(groups) for edge in workspace.loose_groups.get(group, ()))


def choose_excluded(workspace: Workspace, wanted: Wanted) -> frozenset[str]:
    """Return the names that are walked through but not installed."""
    excluded: set[str] = set(map(canonicalize_name, wanted.no_install_packages))
    unknown = excluded - {key.name for key in workspace.packages}
    if unknown:
        raise UsageError(
            f"the lock has no package {_listed(unknown)}", hint="see --no-install-package"
        )
    if wanted.no_install_project:
        excluded |= {key.name for key in _choose_members(workspace, wanted)}
    if wanted.no_install_workspace:
        excluded |= {key.name for key in workspace.members}
    return frozenset(excluded)


def _choose_members(workspace: Workspace, wanted: Wanted) -> tuple[PackageKey, ...]:
    if wanted.packages:
        by_name: dict[str, PackageKey] = {key.name: key for key in workspace.members}
        names = list(map(canonicalize_name, wanted.packages))
        unknown = {name for name in names if name not in by_name}
        if unknown:
            raise UsageError(
                f"the workspace has no package {_listed(unknown)}",
                hint=f"it has: {', '.join(sorted(by_name)) or 'none'}",
            )
        return tuple(by_name[name] for name in names)
    at_root = tuple(key for key in workspace.members if workspace.is_at_root(key))
    return workspace.members if wanted.all_packages or not at_root else at_root


def _project(workspace: Workspace, chosen: tuple[PackageKey, ...]) -> Project:
    """Return the project whose default groups hold: the one that is asked for, else the root."""
    only = workspace.packages[chosen[0]].source.path if len(chosen) == 1 else None
    return Project.read(only or workspace.folder)


def _group_names(
    workspace: Workspace, project: Project, packages: list[LockedPackage], wanted: Wanted
) -> set[str]:
    known = {group for package in packages for group in package.groups}
    known |= set(workspace.loose_groups)
    _check_known("group", (*wanted.groups, *wanted.only_groups), known | project.groups)
    if wanted.only_groups:
        names: set[str] = set(map(canonicalize_name, wanted.only_groups))
    else:
        names = set(map(canonicalize_name, wanted.groups))
        if wanted.all_groups:
            names |= known
        elif not wanted.no_default_groups:
            names |= known if project.default_groups is None else project.default_groups
    return names - set(map(canonicalize_name, wanted.no_groups))


def _extra_names(project: Project, packages: list[LockedPackage], wanted: Wanted) -> set[str]:
    if wanted.only_groups:
        return set()
    known = {extra for package in packages for extra in package.extras}
    _check_known("extra", wanted.extras, known | project.extras)
    names: set[str] = set(map(canonicalize_name, wanted.extras))
    return (known if wanted.all_extras else names) - set(map(canonicalize_name, wanted.no_extras))


def _check_known(what: str, names: tuple[str, ...], known: Set[str]) -> None:
    unknown = {name for name in names if canonicalize_name(name) not in known}
    if unknown:
        raise UsageError(
            f"the project has no {what} {_listed(unknown)}",
            hint=f"it has: {', '.join(sorted(known)) or 'none'}",
        )


def _listed(names: Set[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
