"""Selection: what of a lock is for a target, and which file of each package.

Pure: a lock and a target in, a choice or a list of problems out. The walk evaluates every edge's
marker; extras are asked for per edge; synthetic extras of conflicts come into force as the walk
meets them, so it is repeated until their set no longer grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from packaging.tags import Tag

from wheelferry_bundler.locked import Artifact, Dependency, LockedPackage, LockedSet, PackageKey
from wheelferry_bundler.markers import Markers
from wheelferry_bundler.missing_wheels import smallest_fix
from wheelferry_schemas.errors import MalformedError, UnfitError, WheelferryError
from wheelferry_schemas.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A package for a target, with the wheel to take; None where one has to be built."""

    package: LockedPackage
    wheel: Artifact | None
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Everything for one target, sorted by name, or what stands in the way of it."""

    target: Target
    chosen: tuple[Chosen, ...]
    roots: tuple[str, ...]
    problems: tuple[WheelferryError, ...]


def select(locked: LockedSet, target: Target) -> Selection:
    """Choose the packages of `locked` for `target`, and one wheel for each."""
    markers = Markers(target)
    walk = _Walk(locked, markers)
    try:
        _check_python(locked, target)
        walk.run()
    except WheelferryError as error:
        return Selection(target=target, chosen=(), roots=(), problems=(error,))
    problems: list[WheelferryError] = list(walk.problems)
    installed = [
        locked.packages[key]
        for key in walk.reached
        if locked.packages[key].source.kind != "virtual"
    ]
    installed = sorted(
        (package for package in installed if package.name not in locked.excluded),
        key=lambda package: (package.name, str(package.key)),
    )
    problems += _several_versions(installed, target)
    ranks = {tag: rank for rank, tag in reversed(list(enumerate(target.tags())))}
    names = {package.name for package in installed}
    chosen = []
    for package in installed:
        try:
            wheel = _choose_wheel(package, ranks, target)
        except UnfitError as error:
            problems.append(error)
            continue
        dependencies = tuple(sorted(walk.edges[package.key] & names))
        chosen.append(Chosen(package=package, wheel=wheel, dependencies=dependencies))
    if markers.patch_matters:
        version = target.markers.python_full_version
        target = target.model_copy(update={"requires_python": f"=={version}"})
    return Selection(
        target=target,
        chosen=tuple(chosen),
        roots=tuple(sorted(walk.roots & names)),
        problems=tuple(problems),
    )


def best_wheel(wheels: Iterable[Artifact], ranks: Mapping[Tag, int]) -> Artifact | None:
    """Return the wheel whose best tag ranks lowest, the highest build number deciding ties."""
    fitting = [
        (min(ranks[tag] for tag in wheel.tags if tag in ranks), wheel)
        for wheel in wheels
        if not wheel.tags.isdisjoint(ranks)
    ]
    if not fitting:
        return None
    best = min(rank for rank, _ in fitting)
    return max(
        (wheel for rank, wheel in fitting if rank == best),
        key=lambda wheel: (wheel.build or (-1, ""), wheel.file_name),
    )


@dataclass
class _Walk:
    """A walk through the graph; `reached`, `edges` and `roots` are what it finds."""

    locked: LockedSet
    markers: Markers
    reached: set[PackageKey] = field(default_factory=set)
    edges: dict[PackageKey, set[str]] = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    problems: list[WheelferryError] = field(default_factory=list)

    def run(self) -> None:
        active = {name for root in self.locked.roots for name in _synthetic(root.key)}
        for root in self.locked.roots:
            active |= _synthetic_extras(root.key, root.extras)
            active |= {f"group-{len(root.key.name)}-{root.key.name}-{g}" for g in root.groups}
        while True:
            self._check_conflicts(active)
            met = self._walk(active)
            if met <= active:
                return
            active |= met

    def _check_conflicts(self, active: Set[str]) -> None:
        for conflict in self.locked.conflicts:
            both = sorted(conflict & active)
            if len(both) > 1:
                names = " and ".join(repr(name.split("-", 2)[2]) for name in both)
                raise UnfitError(
                    f"{names} are declared as conflicting in {self.locked.kind}",
                    hint="ask for one of them, or make two bundles",
                )

    def _walk(self, active: Set[str]) -> set[str]:
        """Walk everything once; returns the synthetic extras that edges asked for."""
        self.reached, self.edges, self.roots, self.problems = set(), {}, set(), []
        met: set[str] = set()
        seen: set[tuple[PackageKey, str]] = set()
        queue: list[tuple[PackageKey | None, Dependency]] = [(None, e) for e in self.locked.edges]
        for root in self.locked.roots:
            package = self.locked.packages[root.key]
            if root.itself:
                queue.append((None, Dependency(key=root.key, extras=root.extras)))
            for group in root.groups:
                queue += ((None, edge) for edge in package.groups.get(group, ()))
        while queue:
            parent, edge = queue.pop()
            own = _synthetic_extras(edge.key, edge.extras)
            if not self._holds(edge.marker, active | own):
                continue
            met |= own
            if parent is None:
                self.roots.add(edge.key.name)
            else:
                self.edges[parent].add(edge.key.name)
            for extra in ("", *edge.extras):
                if (edge.key, extra) not in seen:
                    seen.add((edge.key, extra))
                    queue += ((edge.key, further) for further in self._visit(edge.key, extra))
        return met

    def _visit(self, key: PackageKey, extra: str) -> Iterator[Dependency]:
        package = self.locked.packages[key]
        self.reached.add(key)
        self.edges.setdefault(key, set())
        # An extra that a package does not have is not an error: resolvers warn and go on.
        yield from package.extras.get(extra, ()) if extra else package.dependencies

    def _holds(self, marker: str | None, extras: Set[str]) -> bool:
        try:
            synthetic = extras if marker and "extra" in marker else frozenset()
            return self.markers.holds(
                marker, synthetic | self.locked.lock_extras, self.locked.lock_groups
            )
        except (UnfitError, MalformedError) as error:
            if str(error) not in map(str, self.problems):
                self.problems.append(error)
            return False


def _synthetic(key: PackageKey) -> set[str]:
    return {f"project-{len(key.name)}-{key.name}"}


def _synthetic_extras(key: PackageKey, extras: Iterable[str]) -> set[str]:
    return {f"extra-{len(key.name)}-{key.name}-{extra}" for extra in extras}


def _check_python(locked: LockedSet, target: Target) -> None:
    version = target.markers.python_full_version
    if locked.requires_python is None or locked.requires_python.contains(version, prereleases=True):
        return
    raise UnfitError(
        f"{locked.name} requires Python {locked.requires_python}, the target {target.id} "
        f"has {version}",
        hint="pass a --python that fits, or widen requires-python and lock again",
    )


def _several_versions(
    packages: Iterable[LockedPackage], target: Target
) -> Iterator[WheelferryError]:
    by_name: dict[str, list[LockedPackage]] = {}
    for package in packages:
        by_name.setdefault(package.name, []).append(package)
    for name, same in by_name.items():
        if len(same) > 1:
            versions = ", ".join(
                f"{package.key.version or '?'} from {package.source.location}" for package in same
            )
            yield UnfitError(
                f"{name} is selected more than once for {target.id}: {versions}",
                hint="the lock allows this combination of extras and groups only one at a time",
            )


def _choose_wheel(
    package: LockedPackage, ranks: Mapping[Tag, int], target: Target
) -> Artifact | None:
    """Return the wheel to take, or None where the package has to be built.

    A package that does have wheels, but none that fits, is not built from its source archive: the
    result would be a wheel for this host. Raises `UnfitError`.
    """
    wheel = best_wheel(package.wheels, ranks)
    if wheel is not None:
        return wheel
    if not package.wheels and (
        package.sdist is not None or package.source.kind in ("git", "directory", "url", "path")
    ):
        return None
    raise UnfitError(
        f"{package.key} has no wheel for {_described(target)}",
        hint=smallest_fix(package, target),
    )


def _described(target: Target) -> str:
    return f"{target.abis[0]} on {target.id.split('-', 1)[1]}"
