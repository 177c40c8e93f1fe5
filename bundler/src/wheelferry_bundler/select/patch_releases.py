"""Determines the patch releases of Python for which a selection is valid.

Markers such as `python_full_version <= '3.11'` separate 3.11.0 from 3.11.1. A target without a
patch release is for the newest one, a target with one is for that, and both are for every other
patch release with the same selection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from wheelferry_bundler.model.locked import PackageKey
from wheelferry_bundler.select.python_releases import kept_patches, newest_patch
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import Target

_MAX_HOLES = 8
"""The most patch releases that a target excludes one by one: a specifier has 200 characters."""

Needs = frozenset[PackageKey]
"""The packages to install."""


@dataclass(frozen=True, slots=True)
class Patches:
    """A range of patch releases of one minor version, open-ended without `last`."""

    minor: str
    first: int
    last: int | None

    def __contains__(self, patch: int) -> bool:
        return self.first <= patch and (self.last is None or patch <= self.last)

    def __str__(self) -> str:
        first = f"{self.minor}.{self.first}"
        if self.last is None:
            return f"{first} and later" if self.first else self.minor
        return first if self.first == self.last else f"{first} to {self.minor}.{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The Pythons that a selection is valid for, the oldest of them, and a note for the user."""

    requires_python: str
    oldest: str
    note: str | None = None


def is_assumed(target: Target) -> bool:
    """Return whether the patch release of a target is assumed, not stated."""
    return "python_full_version" in target.assumed


def own_patch(target: Target, requires_python: SpecifierSet | None = None) -> int | None:
    """Return the patch release to select for: the stated one, or the newest allowed one.

    It is None where `requires_python` allows none.
    """
    minor = target.markers.python_version
    if is_assumed(target):
        newest = newest_patch(target.python[1])
        later = (part.first for part in divide(target, [str(requires_python)]))
        candidates = [*range(newest, -1, -1), *(patch for patch in later if patch > newest)]
    else:
        candidates = [patch_of(target.markers.python_full_version)]
    return next((p for p in candidates if allows(requires_python, f"{minor}.{p}")), None)


def patch_of(full_version: str) -> int:
    """Return the patch release of a `python_full_version`."""
    return Version(full_version.rstrip("+")).micro


def allows(requires_python: SpecifierSet | None, version: str) -> bool:
    """Return whether a Python is allowed; pre-releases count as the release, as in uv."""
    return requires_python is None or requires_python.contains(
        Version(version.rstrip("+")).base_version, prereleases=True
    )


def divide(target: Target, texts: Iterable[str]) -> tuple[Patches, ...]:
    """Return the patch releases of a target in ranges that none of the texts divides."""
    minor = target.markers.python_version
    pattern = re.compile(rf"(?<![\d.]){re.escape(minor)}(?:\.(\d{{1,6}}))?(?![\d.*])")
    starts = {0}
    for text in texts:
        for patch in pattern.findall(text):
            starts |= {int(patch or 0), int(patch or 0) + 1}
    ordered = sorted(starts)
    parts = [Patches(minor, start, after - 1) for start, after in pairwise(ordered)]
    return (*parts, Patches(minor, ordered[-1], None))


def settle(target: Target, own: int, needs: Mapping[Patches, Needs]) -> Settled:
    """Return the Pythons for which the selection for the patch release `own` is valid.

    `needs` are the packages for each range of the target's patch releases, oldest first. Raises
    `UnfitError` where the patch release is not stated and a distribution ships one with other
    needs.
    """
    answer = next(found for part, found in needs.items() if own in part)
    others = {part: found for part, found in _joined(needs).items() if found != answer}
    same = _joined({part: found for part, found in needs.items() if found == answer})
    left_out = {
        patch: name
        for patch, name in kept_patches(target.python[1]).items()
        if any(patch in part for part in others)
    }
    if is_assumed(target) and left_out:
        raise _undecidable(target, own, {**others, **same}, left_out)
    parts = _within_reach(list(same), own)
    note = None
    if is_assumed(target) and others:
        note = f"for Python {_listed(parts)}: " + "; ".join(
            f"{part}{' alone' if part.first == part.last else ''} would {_difference(found, answer)}"
            for part, found in others.items()
        )
    return Settled(
        requires_python=_specifier(parts),
        oldest=f"{parts[0].minor}.{parts[0].first}",
        note=note,
    )


def _joined(needs: Mapping[Patches, Needs]) -> dict[Patches, Needs]:
    """Return the ranges, with adjacent ones of the same needs merged."""
    joined: dict[Patches, Needs] = {}
    for part, found in needs.items():
        before = next(reversed(joined), None)
        if before and before.last == part.first - 1 and joined[before] == found:
            del joined[before]
            joined[Patches(part.minor, before.first, part.last)] = found
        else:
            joined[part] = found
    return joined


def _within_reach(parts: Sequence[Patches], own: int) -> Sequence[Patches]:
    """Return the ranges, or the one around `own` where the gaps are too many to list."""
    holes = sum(after.first - 1 - (before.last or 0) for before, after in pairwise(parts))
    return parts if holes <= _MAX_HOLES else [part for part in parts if own in part]


def _specifier(parts: Sequence[Patches]) -> str:
    minor, first, last = parts[0].minor, parts[0].first, parts[-1].last
    if first == last:
        return f"=={minor}.{first}"
    holes = (
        f"!={minor}.{patch}"
        for before, after in pairwise(parts)
        for patch in range((before.last or 0) + 1, after.first)
    )
    bounds = [
        f"=={minor}.*",
        *((f">={minor}.{first}",) if first else ()),
        *((f"<{minor}.{last + 1}",) if last is not None else ()),
        *holes,
    ]
    return str(SpecifierSet(",".join(bounds)))


def _listed(parts: Iterable[Patches]) -> str:
    *most, last = map(str, parts)
    return f"{', '.join(most)} and {last}" if most else last


def _difference(found: Needs, answer: Needs) -> str:
    more, less = _names(found - answer, answer), _names(answer - found, found)
    return " and ".join(
        [*([f"need {more}"] if more else []), *([f"do without {less}"] if less else [])]
    )


def _names(packages: Needs, others: Needs) -> str:
    """Return names, with versions where the other side has another version."""
    known = {key.name for key in others}
    return ", ".join(sorted(str(key) if key.name in known else key.name for key in packages))


def _undecidable(
    target: Target, own: int, needs: Mapping[Patches, Needs], left_out: Mapping[int, str]
) -> UnfitError:
    minor = target.markers.python_version
    everywhere = frozenset.intersection(*needs.values())
    differing = frozenset.union(*needs.values()) - everywhere
    ordered = sorted(needs, key=lambda part: part.first)
    answers = (
        f"{part} need{'s' if part.first == part.last else ''} {_names(needs[part] - everywhere, differing - needs[part]) or 'none of it'}"
        for part in ordered
    )
    patches = [f"--python {minor}.{patch} ({name})" for patch, name in sorted(left_out.items())]
    return UnfitError(
        f"whether {target.id} needs {', '.join(sorted({key.name for key in differing}))} depends "
        f"on the patch release of Python {minor}: {', '.join(answers)}",
        hint=f"name the one of the air-gapped host: {', '.join(patches)} or "
        f"--python {minor}.{own} (the newest); each can be given, for a bundle that has both",
    )
