"""The walk through the graph of a lock: what is reached in one environment.

Where a lock declares conflicts, markers ask which extras are active, and following an edge may
activate one. So a first walk only collects what gets active, and is repeated until nothing is
added; a second one, with that set as it is, reaches what is installed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from wheelferry_bundler.conflicts import SyntheticExtra, conflict_error
from wheelferry_bundler.locked import Dependency, LockedSet, PackageKey
from wheelferry_bundler.markers import Markers
from wheelferry_schemas.errors import MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a walk finds: packages with the names that each needs, and where it began."""

    packages: Mapping[PackageKey, frozenset[str]]
    roots: frozenset[str]


def walk(locked: LockedSet, markers: Markers) -> Reached:
    """Walk through a lock.

    Raises `MalformedError` where the lock is broken, `UsageError` where what is reached activates
    extras that conflict.
    """
    active = _Active(locked)
    if locked.conflicts:
        _activate(locked, markers, active)
    steps = _Steps(locked, markers, active)
    steps.run()
    return Reached(
        packages={key: frozenset(names) for key, names in steps.needed.items()},
        roots=frozenset(steps.roots),
    )


class _Active:
    """The synthetic extras in force, and what else the names of a pylock.toml are."""

    def __init__(self, locked: LockedSet) -> None:
        self._locked = locked
        self.items = set()
        for root in locked.roots:
            name = root.key.name
            self.items |= {SyntheticExtra("group", name, group) for group in root.groups}
            if root.itself:
                self.items.add(SyntheticExtra("project", name))
                self.items |= {SyntheticExtra("extra", name, extra) for extra in root.extras}
        self._freeze()

    def _freeze(self) -> None:
        self.names = self._locked.lock_extras | {item.text for item in self.items}

    def add(self, items: Iterable[SyntheticExtra]) -> None:
        new = set(items) - self.items
        if new:
            self.items |= new
            self._freeze()


def _activate(locked: LockedSet, markers: Markers, active: _Active) -> None:
    while True:
        before = len(active.items)
        _Steps(locked, markers, active, activates=True).run()
        if len(active.items) == before:
            break
    extras = sorted(item for item in active.items if item.kind == "extra")
    for conflict in locked.conflicts:
        for one, other in combinations(sorted(conflict.intersection(extras)), 2):
            raise conflict_error([str(one), str(other)], conflict)


@dataclass
class _Steps:
    """One walk. Where it `activates`, extras that edges ask for come into force at once."""

    locked: LockedSet
    markers: Markers
    active: _Active
    activates: bool = False
    needed: dict[PackageKey, set[str]] = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    _seen: set[tuple[PackageKey, str]] = field(default_factory=set)
    _queue: deque[tuple[PackageKey, str]] = field(default_factory=deque)

    def run(self) -> None:
        for root in self.locked.roots:
            if root.itself:
                self._reach(Dependency(key=root.key, extras=root.extras), None)
        for root in self.locked.roots:
            for group in root.groups:
                for edge in self.locked.packages[root.key].groups[group]:
                    self._follow(edge, None)
        for edge in self.locked.edges:
            self._follow(edge, None)
        while self._queue:
            key, extra = self._queue.popleft()
            package = self.locked.packages[key]
            # An extra that a package does not have is not an error: resolvers warn and go on.
            edges = package.extras.get(extra, ()) if extra else package.dependencies
            for edge in edges:
                self._follow(edge, key)

    def _follow(self, edge: Dependency, parent: PackageKey | None) -> None:
        if edge.marker is not None:
            names = self.active.names
            if self.activates and edge.extras:
                names = names | {item.text for item in _own(edge)}
            if not self.markers.holds(edge.marker, names, self.locked.lock_groups):
                return
        if self.activates and edge.extras:
            self.active.add(_own(edge))
        self._reach(edge, parent)

    def _reach(self, edge: Dependency, parent: PackageKey | None) -> None:
        if parent is None:
            self.roots.add(edge.key.name)
        else:
            self.needed[parent].add(edge.key.name)
        if edge.key not in self.needed:
            if edge.key not in self.locked.packages:
                raise MalformedError(
                    f"{self.locked.kind}: no package of the lock is {edge.key}",
                    hint="the lock was edited or cut short: lock the project again",
                )
            self.needed[edge.key] = set()
        for extra in ("", *edge.extras):
            if (edge.key, extra) not in self._seen:
                self._seen.add((edge.key, extra))
                self._queue.append((edge.key, extra))


def _own(edge: Dependency) -> list[SyntheticExtra]:
    return [SyntheticExtra("extra", edge.key.name, extra) for extra in edge.extras]
