"""Chooses the starting points in a uv.lock: the members, extras and groups that `uv sync` takes.

The order of precedence is uv's: exclusions win, `--only-group` disables the defaults and the
projects themselves. If a single member is requested, groups of the workspace's root are taken too
where they are requested by name and the member has none of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from wheelferry_bundler.model.locked import Dependency, PackageKey, Root
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.pyproject import DEV, DefaultGroups
from wheelferry_bundler.read.uv_workspace import Declared, Workspace
from wheelferry_schemas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The selection from a workspace.

    Properties and `check_names` raise `UsageError` for requested names that do not exist.
    """

    workspace: Workspace
    wanted: Wanted

    @property
    def takes_projects(self) -> bool:
        """Whether projects are selected, not only groups."""
        return not self.wanted.only_groups

    @cached_property
    def members(self) -> tuple[PackageKey, ...]:
        """The members whose dependencies are selected."""
        workspace = self.workspace
        if self.wanted.packages:
            by_name: dict[str, PackageKey] = {key.name: key for key in workspace.members}
            names = list(map(canonicalize_name, self.wanted.packages))
            _check_known("the workspace has no package", names, by_name)
            return tuple(by_name[name] for name in names)
        if workspace.root is None or self.wanted.all_packages:
            return workspace.members
        return (workspace.root,)

    @cached_property
    def single(self) -> PackageKey | None:
        """The single project that is requested, by name or as the root."""
        if self.wanted.all_packages or (not self.wanted.packages and not self.workspace.root):
            return None
        return self.members[0] if len(self.members) == 1 else None

    @cached_property
    def defaults(self) -> DefaultGroups:
        """The groups that are selected by default."""
        workspace = self.workspace
        if self.wanted.no_default_groups or not self.takes_projects:
            return frozenset()
        if workspace.records_defaults and len(self.wanted.packages) == 1:
            return workspace.declared[self.members[0]].default_groups
        if workspace.pyproject.table is not None:
            return workspace.pyproject.groups.default_groups
        root = workspace.root
        return (workspace.declared[root] if root else workspace.loose).default_groups

    @cached_property
    def _asked_groups(self) -> frozenset[str]:
        return _normalized((*self.wanted.groups, *self.wanted.only_groups))

    def includes_group(self, group: str) -> bool:
        """Return whether groups of that name are selected."""
        if group in _normalized(self.wanted.no_groups):
            return False
        return self.asks_for(group) or self.defaults is None or group in self.defaults

    def asks_for(self, group: str) -> bool:
        """Return whether groups of that name are requested, not merely a default."""
        return self.wanted.all_groups or group in self._asked_groups

    def takes_group(self, owner: PackageKey | None, group: str) -> bool:
        """Return whether a project's group is selected; the owner of loose groups is None."""
        if not self.includes_group(group):
            return False
        if self.single is None or owner == self.single:
            return True
        return self.asks_for(group) and group not in self.workspace.declared[self.single].groups

    def includes_extra(self, extra: str) -> bool:
        """Return whether extras of that name are selected."""
        wanted = self.wanted
        return (wanted.all_extras or extra in _normalized(wanted.extras)) and (
            extra not in _normalized(wanted.no_extras)
        )

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The members at which the walk starts, each with its extras and groups."""
        roots = [
            Root(
                key=key,
                extras=tuple(filter(self.includes_extra, package.extras))
                if self.takes_projects
                else (),
                groups=self._groups_of(key),
                itself=self.takes_projects,
            )
            for key in self.members
            if (package := self.workspace.packages[key])
        ]
        inherited = self._inherited_groups()
        if inherited:
            assert self.workspace.root is not None
            roots.append(Root(key=self.workspace.root, groups=inherited, itself=False))
        return tuple(roots)

    def _groups_of(self, key: PackageKey) -> tuple[str, ...]:
        groups = self.workspace.packages[key].groups
        return tuple(group for group in sorted(groups) if self.takes_group(key, group))

    def _inherited_groups(self) -> tuple[str, ...]:
        root = self.workspace.root
        if self.single is None or root in (None, self.single):
            return ()
        return self._groups_of(root)

    @property
    def edges(self) -> tuple[Dependency, ...]:
        """The edges at which the walk starts that belong to no member."""
        loose = self.workspace.loose_groups
        groups = [group for group in sorted(loose) if self.takes_group(None, group)]
        taken = [edge for group in groups for edge in loose[group]]
        return (*(self.workspace.requirements if self.takes_projects else ()), *taken)

    @property
    def excluded(self) -> frozenset[PackageKey]:
        """The packages that are walked through but not installed."""
        wanted, workspace = self.wanted, self.workspace
        names: set[str] = set(_normalized(wanted.no_install_packages))
        _check_known("the lock has no package", names, {key.name for key in workspace.packages})
        project = workspace.root if wanted.all_packages else self.single
        if wanted.no_install_project and project is not None:
            names.add(project.name)
        if wanted.no_install_workspace:
            names |= {key.name for key in workspace.members}
        return frozenset(
            key
            for key, package in workspace.packages.items()
            if key.name in names
            or (wanted.no_install_local and package.source.kind in ("path", "directory", "virtual"))
        )

    @property
    def requires_python(self) -> SpecifierSet:
        """The intersection of the Pythons that the selected groups require."""
        declared = self.workspace.declared
        owners: list[tuple[PackageKey | None, Declared]] = [(None, self.workspace.loose)]
        owners += ((root.key, declared[root.key]) for root in self.roots)
        needed = SpecifierSet()
        for owner, project in owners:
            for group, specifier in project.group_requires_python.items():
                if self.takes_group(owner, group):
                    needed &= specifier
        return needed

    def check_names(self) -> None:
        """Raise `UsageError` for extras and groups that nothing declares.

        `--no-dev` and `--only-dev` are allowed without a group dev.
        """
        wanted, workspace = self.wanted, self.workspace
        declared = [workspace.declared[key] for key in self.members]
        if workspace.names_extras:
            extras = {extra for project in declared for extra in project.extras}
            asked = _normalized((*wanted.extras, *wanted.no_extras))
            _check_known("the project has no extra", asked, extras)
        if self.single is not None and workspace.root is not None:
            declared.append(workspace.declared[workspace.root])
        groups = {group for project in declared for group in project.groups}
        groups |= workspace.loose.groups
        asked = _normalized((*wanted.no_groups, *wanted.only_groups)) - DEV
        _check_known("the project has no group", asked | _normalized(wanted.groups), groups)


def _normalized(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(canonicalize_name, names))


def _check_known(what: str, names: Iterable[str], known: Set[str] | Mapping[str, object]) -> None:
    unknown = sorted({name for name in names if name not in known})
    if unknown:
        raise UsageError(
            f"{what} {', '.join(map(repr, unknown))}",
            hint=f"it has: {', '.join(sorted(known)) or 'none'}",
        )
