"""Checks that a selection contains everything that the metadata of its wheels requires.

Only the result of a resolver for this target is trusted to be complete: a requirements file with
hashes, or a lock made on another host, may lack what only this target requires.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelferry_schemas.errors import UnfitError

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The content of a wheel's METADATA; `unreadable` are invalid requirements."""

    name: str
    version: str
    requires: tuple[Requirement, ...] = ()
    requires_python: SpecifierSet | None = None
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is requested: `extras` of some packages, without the names that are `left_out`."""

    extras: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left_out: frozenset[str] = _NOTHING


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement that applies in an environment, and the package that states it."""

    name: str
    requirement: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The requirements of a set of packages in an environment.

    `needed` maps each package to those of the set that it requires. `missing` are requirements
    that the set lacks, `other_version` those that it satisfies only in another version.
    """

    needed: Mapping[str, frozenset[str]]
    missing: tuple[Need, ...]
    other_version: tuple[Need, ...]


class IncompleteError(UnfitError):
    """A lock without packages that its wheels require; `missing` lists them by target."""

    def __init__(self, lock: str, missing: Mapping[str, Sequence[Need]]) -> None:
        self.lock = lock
        by_name: dict[str, dict[str, list[Need]]] = {}
        for target, needs in missing.items():
            for need in needs:
                by_name.setdefault(need.name, {}).setdefault(target, []).append(need)
        self.by_name = by_name
        super().__init__(
            f"{lock} is not complete",
            details=[line for name in sorted(by_name) for line in _lines(by_name[name])],
            hint="lock again for all of these platforms at once (uv lock, or uv pip compile "
            "--universal), or add what is missing; to leave something out on purpose, pass "
            f"--no-install-package {min(by_name)}",
        )

    def apart(self, target: str) -> Mapping[str, IncompleteError]:
        """Return an error for each package that is missing for a target."""
        return {
            name: IncompleteError(self.lock, {target: by_target[target]})
            for name, by_target in sorted(self.by_name.items())
            if target in by_target
        }


def parse_metadata(metadata: bytes) -> Stated | None:
    """Return the content of METADATA, None where it has no name or version.

    Invalid values, and those of old wheels, are ignored, as in pip.
    """
    # The description may be long and is not needed.
    raw, _ = parse_email(_BLANK_LINE.split(metadata, maxsplit=1)[0])
    name, version = raw.get("name"), raw.get("version")
    if name is None or version is None:
        return None
    requires: list[Requirement] = []
    unreadable: list[str] = []
    for text in raw.get("requires_dist", []):
        try:
            requires.append(Requirement(text))
        except (InvalidRequirement, RecursionError):
            unreadable.append(text)
    return Stated(
        name=canonicalize_name(name),
        version=version,
        requires=tuple(requires),
        requires_python=_specifier(raw.get("requires_python")),
        unreadable=tuple(unreadable),
    )


def close(
    versions: Mapping[str, str | None],
    stated: Mapping[str, Stated],
    demand: Demand,
    environment: Mapping[str, str],
) -> Closure:
    """Follow the requirements that packages state in an environment.

    `versions` are the packages of the set by normalized name; the metadata of those that are not in
    `stated` is unknown. Without `demand.extras`, only extras that other packages request count.
    """
    steps = _Steps(versions, stated, demand.left_out, environment)
    steps.run({name: demand.extras.get(name, _NOTHING) for name in versions})
    return Closure(
        needed={name: frozenset(names) for name, names in steps.needed.items()},
        missing=tuple(steps.missing),
        other_version=tuple(steps.other_version),
    )


def tops(needed: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the packages that no other requires, and one of each cycle that none leads to."""
    reached: set[str] = set()
    found: list[str] = []
    asked_for = {other for name, names in needed.items() for other in names if other != name}
    for name in (*sorted(needed.keys() - asked_for), *sorted(asked_for)):
        if name not in reached:
            found.append(name)
            queue = [name]
            while queue:
                current = queue.pop()
                if current not in reached:
                    reached.add(current)
                    queue += needed.get(current, ())
    return tuple(sorted(found))


def _lines(by_target: Mapping[str, Sequence[Need]]) -> Iterator[str]:
    """Yield who requires a package, once for all targets to which the same applies."""
    targets: dict[tuple[str, str], list[str]] = {}
    for target, needs in by_target.items():
        texts = dict.fromkeys(need.requirement for need in needs)
        bare = needs[0].name
        # A requirement without a version adds nothing to one with a version.
        first, *others = [text for text in texts if text != bare] or [bare]
        requirements = ", ".join((first, *(text.removeprefix(f"{bare} ") for text in others)))
        owners = ", ".join(dict.fromkeys(need.by for need in needs))
        targets.setdefault((requirements, owners), []).append(target)
    for (requirements, owners), same in targets.items():
        yield f"{requirements}: needed by {owners} on {', '.join(same)}"


@dataclass(slots=True)
class _Steps:
    versions: Mapping[str, str | None]
    stated: Mapping[str, Stated]
    left_out: frozenset[str]
    environment: Mapping[str, str]
    needed: dict[str, set[str]] = field(default_factory=dict)
    missing: dict[Need, None] = field(default_factory=dict)
    other_version: dict[Need, None] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _queue: deque[tuple[str, str]] = field(default_factory=deque)

    def run(self, starts: Mapping[str, frozenset[str]]) -> None:
        for name, extras in starts.items():
            self.needed[name] = set()
            self._reach(name, extras)
        while self._queue:
            name, extra = self._queue.popleft()
            stated = self.stated.get(name)
            for requirement in stated.requires if stated else ():
                if self._holds(requirement, extra):
                    self._follow(name, requirement)

    def _reach(self, name: str, extras: Iterable[str]) -> None:
        for extra in ("", *map(canonicalize_name, extras)):
            if (name, extra) not in self._seen:
                self._seen.add((name, extra))
                self._queue.append((name, extra))

    def _holds(self, requirement: Requirement, extra: str) -> bool:
        if requirement.marker is None:
            return True
        try:
            return requirement.marker.evaluate({**self.environment, "extra": extra})
        except (UndefinedComparison, UndefinedEnvironmentName):
            return False

    def _follow(self, name: str, requirement: Requirement) -> None:
        wanted = canonicalize_name(requirement.name)
        if wanted in self.left_out:
            return
        version = self.versions[name] or self.stated[name].version
        need = Need(wanted, _text(requirement), f"{name} {version}")
        if wanted not in self.versions:
            self.missing[need] = None
            return
        if wanted != name:
            self.needed[name].add(wanted)
        self._reach(wanted, requirement.extras)
        if not _satisfies(self.versions[wanted], requirement):
            self.other_version[need] = None


def _satisfies(version: str | None, requirement: Requirement) -> bool:
    if version is None or requirement.url is not None:
        return True
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _text(requirement: Requirement) -> str:
    name, extras = canonicalize_name(requirement.name), ",".join(sorted(requirement.extras))
    named = f"{name}[{extras}]" if extras else name
    return f"{named} {requirement.specifier}".rstrip()


def _specifier(text: str | None) -> SpecifierSet | None:
    """Return the lower bounds on Python; resolvers ignore the upper ones."""
    try:
        bounds = [str(spec) for spec in SpecifierSet(text or "") if spec.operator in (">=", ">")]
    except InvalidSpecifier:
        return None
    return SpecifierSet(",".join(bounds)) if bounds else None
