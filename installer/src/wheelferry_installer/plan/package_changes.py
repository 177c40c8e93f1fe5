"""Compares two states of an environment, package by package; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from wheelferry_schemas.receipt import Receipt

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")
_KINDS = {"+": "added", "~": "changed", "-": "removed"}
_SAME_VERSION = "same version"


class PackageVersion(NamedTuple):
    """A package in a state; `sha256` is that of its wheel, None if unknown."""

    name: str
    version: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The packages of an environment or another place at one time.

    `generation` is None for a planned state; it and the manifest's hash are None if wheelferry has
    installed nothing.
    """

    generation: str | None
    manifest_sha256: str | None
    packages: tuple[PackageVersion, ...]

    def plain(self) -> dict[str, Any]:
        """Return the state as JSON."""
        return {
            "generation": self.generation,
            "manifest_sha256": self.manifest_sha256,
            "packages": [{"name": one.name, "version": one.version} for one in self.packages],
        }


class Change(NamedTuple):
    """A package that is added, removed or changed; `before` and `after` are versions."""

    name: str
    before: str | None
    after: str | None

    @property
    def line(self) -> str:
        """The change in one line."""
        return described(*self, same=_SAME_VERSION)

    def plain(self) -> dict[str, str | None]:
        """Return the change as JSON."""
        return self._asdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChanges:
    """All changes from one state to the next, by name."""

    before: State
    after: State

    @property
    def changes(self) -> tuple[Change, ...]:
        """The packages that are added, removed or changed."""
        old, new = (
            {package.name: package for package in state.packages}
            for state in (self.before, self.after)
        )
        return tuple(
            Change(name, one.version if one else None, other.version if other else None)
            for name, one, other in differing(old, new)
        )

    @property
    def tally(self) -> str:
        """The number of packages added, changed, removed and unchanged."""
        changes = self.changes
        after = {package.name for package in self.after.packages}
        unchanged = len(after - {change.name for change in changes})
        parts = tallied(change.line for change in changes)
        if unchanged:
            parts.append(f"{unchanged:,} unchanged")
        return ", ".join(parts) or "no packages"

    def plain(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "before": self.before.plain(),
            "after": self.after.plain(),
            "changes": [change.plain() for change in self.changes],
        }


def state_of(receipt: Receipt | None) -> State:
    """Return the state that a receipt describes, an empty one without a receipt."""
    packages = receipt.packages if receipt is not None else ()
    return State(
        generation=receipt.generation if receipt else None,
        manifest_sha256=receipt.manifest_sha256 if receipt else None,
        packages=tuple(PackageVersion(p.name, p.version, p.sha256) for p in packages),
    )


def differing(
    old: Mapping[_Key, _Value], new: Mapping[_Key, _Value]
) -> Iterator[tuple[_Key, _Value | None, _Value | None]]:
    """Yield each key whose values differ, with both values, in order of the keys."""
    for key in sorted(old.keys() | new.keys()):  # type: ignore[type-var]
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def tallied(lines: Iterable[str]) -> list[str]:
    """Return the number of additions, changes and removals among lines that `described` made."""
    signs = Counter(line[0] for line in lines)
    return [f"{signs[sign]:,} {what}" for sign, what in _KINDS.items() if signs[sign]]


def described(what: str, before: str | None, after: str | None, *, same: str) -> str:
    """Return a line for an addition, removal or change; `same` marks an unchanged version."""
    if before is None or after is None:
        return f"{'+' if before is None else '-'} {what} {before or after}"
    return f"~ {what} {before} -> {after}" if before != after else f"~ {what} {before} ({same})"
