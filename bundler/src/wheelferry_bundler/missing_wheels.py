"""Advice for a package whose wheels do not fit a target: what they are for, and what would do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from packaging.tags import Tag

from wheelferry_bundler.locked import LockedPackage
from wheelferry_bundler.platforms import glibc_minor, parse_platform
from wheelferry_schemas.target import Target, tags_for

_SHOWN = 6
_PYTHON_MINORS = range(8, 16)
_LIBC = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(.+)")
_MACOS = re.compile(r"macosx_(\d+)_(\d+)_(.+)")


def smallest_fix(package: LockedPackage, target: Target) -> str:
    """Return the tags that a package has, and the smallest change that gives it a wheel.

    That is the next glibc, musl or macOS with the same Python, or another Python on the same
    platform, or both where neither is enough.
    """
    tags = frozenset(tag for wheel in package.wheels for tag in wheel.tags)
    if not tags:
        return "the lock names no file of it: lock the project again"
    python = target.python, target.abis
    platforms = [
        f"--platform {name}{_glibc(name)}"
        for name in _newer_platforms(tags, target)
        if _fits(tags, python, parse_platform(name).tags)
    ]
    pythons = [
        f"--python {name}"
        for name, other in _other_pythons(target)
        if _fits(tags, other, target.platforms)
    ]
    both = [
        f"--platform {name}{_glibc(name)} with --python {version}"
        for name in _newer_platforms(tags, target)
        for version, other in _other_pythons(target)
        if _fits(tags, other, parse_platform(name).tags)
    ]
    would_do = [*platforms[:1], *pythons] or both[:1]
    advice = (
        f"{' or '.join(would_do)} would do, if the far side has that"
        if would_do
        else f"lock another version of {package.name}, or leave it out there with a marker"
    )
    if package.sdist is not None:
        advice += "; its source archive would be built for this host, not for the target"
    return f"it has {_shown(tags, target)}: {advice}"


def _fits(
    tags: frozenset[Tag], python: tuple[tuple[int, int], tuple[str, ...]], platforms: Iterable[str]
) -> bool:
    version, abis = python
    return not tags.isdisjoint(tags_for(version, abis, tuple(platforms)))


def _newer_platforms(tags: Iterable[Tag], target: Target) -> Iterator[str]:
    """Yield platforms of the target's kind with a newer libc or macOS, the smallest step first."""
    own = target.platforms[0]
    machine = target.markers.platform_machine
    found: set[tuple[int, int, str]] = set()
    for tag in tags:
        if (own_libc := _LIBC.match(own)) or glibc_minor(own) is not None:
            kind = own_libc[1] if own_libc else "manylinux"
            match = _LIBC.match(tag.platform)
            if match and match[1] == kind and match[4] == machine:
                found.add((int(match[2]), int(match[3]), f"{kind}_{match[2]}_{match[3]}_{machine}"))
        elif _MACOS.match(own) and (match := _MACOS.match(tag.platform)):
            found.add((int(match[1]), int(match[2]), f"macosx_{match[1]}_{match[2]}_{machine}"))
    yield from (name for _, _, name in sorted(found) if name not in target.platforms)


def _other_pythons(target: Target) -> Iterator[tuple[str, tuple[tuple[int, int], tuple[str, ...]]]]:
    for minor in _PYTHON_MINORS:
        abi = f"cp3{minor}"
        if (abi,) != target.abis:
            yield f"3.{minor}", ((3, minor), (abi,))


def _glibc(platform: str) -> str:
    minor = glibc_minor(platform)
    return "" if minor is None else f" (glibc 2.{minor})"


def _shown(tags: Iterable[Tag], target: Target) -> str:
    """Return the tags, those nearest to the target first."""
    kind = target.platforms[0].split("_", 1)[0].rstrip("0123456789")
    machine = target.platforms[0].rsplit("_", 1)[-1]

    def distance(tag: Tag) -> tuple[bool, bool, bool, str]:
        return (
            not tag.platform.startswith(kind),
            not tag.platform.endswith(machine),
            tag.interpreter != f"cp{target.python[0]}{target.python[1]}",
            str(tag),
        )

    texts = [str(tag) for tag in sorted(tags, key=distance)]
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
