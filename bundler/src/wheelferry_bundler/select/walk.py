"""Walks through the graph of a lock to find what is reached in an environment.

Where a lock declares conflicts, markers depend on the active extras, and following an edge may
activate one. Therefore, as in uv,

- the edges of groups are decided first, one after the other, and only once,
- a first walk only collects active extras, and is repeated until none is added,
- a second walk with that fixed set finds the packages to install.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations

from wheelferry_bundler.model.conflicts import SyntheticExtra, conflict_error
from wheelferry_bundler.model.locked import Dependency, LockedSet, PackageKey
from wheelferry_bundler.select.markers import Markers
from wheelferry_schemas.errors import MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The result of a walk: packages with the names that each requires, and the starting points.

    `installed` excludes packages that are only walked through.
    """

    packages: Mapping[PackageKey, frozenset[str]]
    installed: frozenset[PackageKey]
    roots: frozenset[str]


def walk(locked: LockedSet, markers: Markers) -> Reached:
    """Walk through a lock.

    Raises `MalformedError` where the lock is inconsistent, `UsageError` where conflicting extras
    become active.
    """
    active = _Active(locked)
    starts = _decide_starts(locked, markers, active)
    if locked.conflicts:
        _activate(locked, markers, active, starts)
    steps = _Steps(locked, markers, active)
    steps.run(starts)
    return Reached(
        packages={key: frozenset(names) for key, names in steps.needed.items()},
        installed=frozenset(
            key
            for key in steps.needed.keys() - locked.excluded
            if locked.packages[key].source.kind != "virtual"
        ),
        roots=frozenset(edge.key.name for edge in starts),
    )


class _Active:
    """The active synthetic extras, and the extras of a pylock.toml."""

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

    def names_with(self, edge: Dependency) -> frozenset[str]:
        """Return the active names for an edge, including the extras that it requests."""
        if not edge.extras or edge.marker is None:
            return self.names
        return self.names | {item.text for item in _asked_for(edge)}

    def add(self, edge: Dependency) -> None:
        """Activate the extras that an edge requests."""
        new = [item for item in _asked_for(edge) if item not in self.items]
        if new:
            self.items.update(new)
            self._freeze()


def _decide_starts(locked: LockedSet, markers: Markers, active: _Active) -> Sequence[Dependency]:
    """Return the edges at which the walk starts; the extras that they request become active."""
    starts = [Dependency(key=root.key, extras=root.extras) for root in locked.roots if root.itself]
    groups = (
        locked.packages[root.key].groups[group] for root in locked.roots for group in root.groups
    )
    for edge in chain(chain.from_iterable(groups), locked.edges):
        if markers.holds(edge.marker, active.names_with(edge), locked.lock_groups):
            active.add(edge)
            starts.append(edge)
    return starts


def _activate(
    locked: LockedSet, markers: Markers, active: _Active, starts: Sequence[Dependency]
) -> None:
    while True:
        before = len(active.items)
        _Steps(locked, markers, active, activates=True).run(starts)
        if len(active.items) == before:
            break
    for conflict in locked.conflicts:
        extras = (item for item in conflict & active.items if item.kind == "extra")
        for one, other in combinations(sorted(extras), 2):
            raise conflict_error([str(one), str(other)], conflict)


@dataclass
class _Steps:
    """One walk; with `activates`, the extras that edges request become active at once."""

    locked: LockedSet
    markers: Markers
    active: _Active
    activates: bool = False
    needed: dict[PackageKey, set[str]] = field(default_factory=dict)
    _seen: set[tuple[PackageKey, str]] = field(default_factory=set)
    _queue: deque[tuple[PackageKey, str]] = field(default_factory=deque)

    def run(self, starts: Iterable[Dependency]) -> None:
        for edge in starts:
            self._reach(edge)
        while self._queue:
            key, extra = self._queue.popleft()
            package = self.locked.packages[key]
            # An extra that a package does not have is not an error: resolvers only warn.
            edges = package.extras.get(extra, ()) if extra else package.dependencies
            for edge in edges:
                names = self.active.names_with(edge) if self.activates else self.active.names
                if self.markers.holds(edge.marker, names, self.locked.lock_groups):
                    if self.activates:
                        self.active.add(edge)
                    self.needed[key].add(edge.key.name)
                    self._reach(edge)

    def _reach(self, edge: Dependency) -> None:
        if edge.key not in self.needed:
            if edge.key not in self.locked.packages:
                raise MalformedError(
                    f"{self.locked.kind}: no package of the lock is {edge.key}",
                    hint="the lock was edited or truncated: lock the project again",
                )
            self.needed[edge.key] = set()
        for extra in ("", *edge.extras):
            if (edge.key, extra) not in self._seen:
                self._seen.add((edge.key, extra))
                self._queue.append((edge.key, extra))


def _asked_for(edge: Dependency) -> list[SyntheticExtra]:
    return [SyntheticExtra("extra", edge.key.name, extra) for extra in edge.extras]
