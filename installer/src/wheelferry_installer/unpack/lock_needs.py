"""Finds the names that `uv sync` would install from a uv.lock on a target; pure.

`bundle create` walks the lock exactly. This is for a lock other than the one that a bundle was made
from, to name what the bundle lacks. Nothing optional is named: edges that depend on a choice
between conflicting extras are not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from wheelferry_installer.unpack import project_lock
from wheelferry_installer.unpack.project_lock import Key
from wheelferry_installer.unpack.toml_text import table, tables, texts
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.target import Target

DEV = frozenset({"dev"})
"""The groups that uv takes where a project does not say."""
_UV_SYNC = (
    *("--extra", "--all-extras", "--no-extra", "--group", "--no-group", "--only-group"),
    *("--all-groups", "--no-default-groups", "--no-dev", "--only-dev", "--package"),
    *("--all-packages", "--no-install-project", "--no-install-workspace", "--no-install-local"),
    "--no-install-package",
)


def uv_flags(options: Iterable[str]) -> list[str]:
    """Return the options recorded in a manifest that `uv sync` shares, as arguments."""
    arguments = []
    for option in options:
        flag, _, value = option.partition(" ")
        if flag in _UV_SYNC:
            arguments += [flag, value] if value else [flag]
    return arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Which parts of a lock are selected, as options of `uv sync`.

    `default_groups` are the project's, None for all of them.
    """

    options: Sequence[str]
    default_groups: frozenset[str] | None = DEV

    def values(self, flag: str) -> frozenset[str]:
        """Return what was given with a flag."""
        start = f"{flag} "
        return frozenset(
            canonicalize_name(option[len(start) :])
            for option in self.options
            if option.startswith(start)
        )

    def takes_extra(self, name: str) -> bool:
        """Return whether an extra of a project is selected."""
        name = canonicalize_name(name)
        named = "--all-extras" in self.options or name in self.values("--extra")
        return named and name not in self.values("--no-extra")

    def takes_group(self, name: str) -> bool:
        """Return whether a dependency group is selected."""
        name = canonicalize_name(name)
        if self.only_groups:
            return name in self.only_groups
        left_out = self.values("--no-group") | ({"dev"} if "--no-dev" in self.options else set())
        if name in left_out:
            return False
        by_default = self.default_groups is None or name in self.default_groups
        if by_default and "--no-default-groups" not in self.options:
            return True
        return "--all-groups" in self.options or name in self.values("--group")

    @property
    def only_groups(self) -> frozenset[str]:
        """The groups that are selected without the project, if any."""
        dev = {"dev"} if "--only-dev" in self.options else set()
        return self.values("--only-group") | dev


def needed(lock: dict[str, Any], target: Target, flags: Flags) -> dict[str, list[Key]]:
    """Return the packages that a target needs: all candidates for each name."""
    walk = _Walk(lock, target)
    for member in _chosen(lock, flags):
        if not flags.only_groups:
            walk.reach(member)
        for name, edges in _lists(member, "optional-dependencies"):
            if flags.takes_extra(name):
                walk.follow(edges)
        for kind in ("dev-dependencies", "dependency-groups"):
            for name, edges in _lists(member, kind):
                if flags.takes_group(name):
                    walk.follow(edges)
    by_name: dict[str, list[Key]] = {}
    left_out = flags.values("--no-install-package")
    for key in walk.reached:
        if key[0] not in left_out:
            by_name.setdefault(key[0], []).append(key)
    return by_name


def _chosen(lock: dict[str, Any], flags: Flags) -> list[dict[str, Any]]:
    """Return the selected members of the workspace."""
    members = project_lock.members(lock)
    names = flags.values("--package")
    if names:
        return [member for member in members if canonicalize_name(member["name"]) in names]
    root = [member for member in members if project_lock.local_folder(member) == "."]
    return members if "--all-packages" in flags.options or not root else root


def _lists(package: dict[str, Any], kind: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    lists = table(package, kind)
    for name in lists:
        yield name, tables(lists, name)


class _Walk:
    """Follows the edges whose markers hold on a target."""

    def __init__(self, lock: dict[str, Any], target: Target) -> None:
        self.reached: dict[Key, None] = {}
        self._packages = {project_lock.key(p): p for p in tables(lock, "package")}
        self._environment = target.markers.plain()
        self._followed: set[tuple[Key, str]] = set()

    def reach(self, package: dict[str, Any]) -> None:
        key = project_lock.key(package)
        if key not in self.reached:
            self.reached[key] = None
            self.follow(tables(package, "dependencies"))

    def follow(self, edges: Iterable[dict[str, Any]]) -> None:
        for edge in edges:
            if not self._holds(edge):
                continue
            name, version, source = project_lock.key(edge)
            for key, package in self._packages.items():
                if key[0] == name and version in (None, key[1]) and source in (None, key[2]):
                    self.reach(package)
                    self._follow_extras(key, edge)

    def _follow_extras(self, key: Key, edge: dict[str, Any]) -> None:
        extras = set(map(canonicalize_name, texts(edge, "extra")))
        for name, edges in _lists(self._packages[key], "optional-dependencies"):
            extra = canonicalize_name(name)
            if extra in extras and (key, extra) not in self._followed:
                self._followed.add((key, extra))
                self.follow(edges)

    def _holds(self, edge: dict[str, Any]) -> bool:
        if "marker" not in edge:
            return True
        if "extra" in edge["marker"]:
            return False
        try:
            return Marker(edge["marker"]).evaluate(self._environment)
        except InvalidMarker as error:
            raise MalformedError(f"uv.lock: {edge['name']} has an invalid marker") from error
