"""Advice for a package whose wheels do not fit a target: what they are for, and what would do."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.tags import Tag

from wheelferry_bundler.locked import LockedPackage
from wheelferry_bundler.platforms import glibc_minor
from wheelferry_schemas.target import Target, tags_for

_SHOWN = 6
_PYTHON_MINORS = range(8, 16)


def smallest_fix(package: LockedPackage, target: Target) -> str:
    """Return the smallest change of the target that gives the package a wheel.

    First a newer glibc, then another Python on the same platform; where neither helps, the
    platforms that there are wheels for.
    """
    tags = frozenset(tag for wheel in package.wheels for tag in wheel.tags)
    if not tags:
        return "the lock names no file of it: lock the project again"
    glibc = _glibc_that_fits(tags, target)
    if glibc is not None:
        needed, platform = glibc
        # 2.28 is the next level that build systems and older distributions agree on.
        offered = max(needed, 28)
        machine = target.markers.platform_machine
        return (
            f"it has {platform} and newer: pass --platform manylinux_2_{offered}_{machine} "
            f"(glibc 2.{offered}) if the far side has that, or lock an older {package.name}"
        )
    pythons = _pythons_that_fit(tags, target)
    if pythons:
        return (
            f"on this platform it has wheels for Python {', '.join(pythons)}: pass one of them as "
            f"--python, or lock another version of {package.name}"
        )
    return (
        f"it has wheels for {_platforms(tags)}: lock another version of {package.name} or leave "
        "it out for this platform with a marker"
    )


def _glibc_that_fits(tags: Iterable[Tag], target: Target) -> tuple[int, str] | None:
    """Return the lowest glibc 2.N above the target's that has a wheel, with its platform tag."""
    if glibc_minor(target.platforms[0]) is None:
        return None
    interpreters = {(tag.interpreter, tag.abi) for tag in target.tags()}
    machine = target.markers.platform_machine
    found = [
        (minor, tag.platform)
        for tag in tags
        if (tag.interpreter, tag.abi) in interpreters
        and tag.platform.endswith(f"_{machine}")
        and (minor := glibc_minor(tag.platform)) is not None
    ]
    return min(found, default=None)


def _pythons_that_fit(tags: frozenset[Tag], target: Target) -> list[str]:
    return [
        f"3.{minor}"
        for minor in _PYTHON_MINORS
        if not tags.isdisjoint(tags_for((3, minor), (f"cp3{minor}",), target.platforms))
    ]


def _platforms(tags: Iterable[Tag]) -> str:
    platforms = sorted({f"{tag.interpreter}-{tag.abi}-{tag.platform}" for tag in tags})
    shown = ", ".join(platforms[:_SHOWN])
    more = len(platforms) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
