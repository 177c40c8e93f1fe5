"""Refuses extras and groups that a uv.lock declares as conflicting, before walking, as uv does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wheelferry_bundler.model.conflicts import SyntheticExtra, conflict_error
from wheelferry_bundler.model.locked import Dependency, PackageKey
from wheelferry_bundler.read.uv_roots import Choice


def check_conflicts(choice: Choice) -> None:
    """Raise `UsageError` where requested extras, groups or projects conflict."""
    conflicts = choice.workspace.conflicts
    reachable = _reachable_members(choice) if conflicts else frozenset()
    for conflict in conflicts:
        active = [
            item
            for item in sorted(conflict)
            if item.package in reachable and _is_active(choice, item)
        ]
        if len(active) > 1:
            raise conflict_error([_described(choice, item) for item in active], conflict)


def _is_active(choice: Choice, item: SyntheticExtra) -> bool:
    if item.kind == "extra":
        return choice.includes_extra(item.name)
    return choice.takes_projects if item.kind == "project" else choice.includes_group(item.name)


def _described(choice: Choice, item: SyntheticExtra) -> str:
    if item.kind == "project":
        return f"package `{item.package}`"
    by_default = item.kind == "group" and not choice.asks_for(item.name)
    return f"{item.kind} `{item.name}`{' (enabled by default)' if by_default else ''}"


def _reachable_members(choice: Choice) -> frozenset[str]:
    """Return the names of the selected members and those that they may need on any platform."""
    members = choice.workspace.members
    if not choice.wanted.packages and choice.single is None:
        return frozenset(key.name for key in members)
    packages = choice.workspace.packages
    queue: list[tuple[PackageKey, str]] = []
    for root in choice.roots:
        if root.itself:
            queue += ((root.key, extra) for extra in ("", *root.extras))
        for group in root.groups:
            queue += _ends(packages[root.key].groups[group])
    seen: set[tuple[PackageKey, str]] = set()
    while queue:
        key, extra = queue.pop()
        if (key, extra) not in seen:
            seen.add((key, extra))
            package = packages[key]
            queue += _ends(package.extras.get(extra, ()) if extra else package.dependencies)
    reached = {key for key, _ in seen}.union(choice.members)
    return frozenset(key.name for key in reached.intersection(members))


def _ends(edges: Iterable[Dependency]) -> Iterator[tuple[PackageKey, str]]:
    return ((edge.key, extra) for edge in edges for extra in ("", *edge.extras))
