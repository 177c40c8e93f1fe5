"""Reports packages without a wheel for a target, and what would help, for all at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from packaging.tags import Tag

from wheelferry_bundler.model.locked import LockedPackage
from wheelferry_bundler.select.platforms import glibc_minor, parse_platform
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import Target, tags_for

_SHOWN = 6
_PYTHON_MINORS = range(8, 16)
_LIBC = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(.+)")
_MACOS = re.compile(r"macosx_(\d+)_(\d+)_(.+)")
_SAME_MACHINE = (
    ("x86_64", "amd64", "intel", "universal", "universal2", "fat3", "fat64"),
    ("arm64", "aarch64", "universal2"),
)
"""The names of machines in the tags of different systems."""

_Python = tuple[tuple[int, int], tuple[str, ...]]


class MissingWheelError(UnfitError):
    """A package that has wheels, but none for a target.

    `older` is a requirement such as `numpy<2.3` whose newest version has one.
    """

    def __init__(self, package: LockedPackage, target: Target, older: str | None = None) -> None:
        self.package = package
        self.target = target
        self.older = older
        super().__init__(
            f"{package.key} has no wheel for {_described([target])}", hint=_advice([self])
        )

    @property
    def needs_newer_system(self) -> bool:
        """Whether a newer libc or macOS is all that the target lacks."""
        return bool(_sufficient_platforms([self]))


def joined(problems: Sequence[MissingWheelError]) -> UnfitError:
    """Return one error for all of them, which names each package once and what would help."""
    if len(problems) == 1:
        return problems[0]
    targets: dict[str, list[MissingWheelError]] = {}
    for problem in problems:
        targets.setdefault(str(problem.package.key), []).append(problem)
    lines = [
        f"{key} has no wheel for {_described([problem.target for problem in same])}"
        for key, same in targets.items()
    ]
    if len(lines) == 1:
        return UnfitError(lines[0], hint=_advice(problems))
    return UnfitError(
        f"{len(lines)} packages have no wheel for a target",
        details=[
            f"{line}: it has {_shown(_tags(same[0].package), same[0].target)}"
            for line, same in zip(lines, targets.values(), strict=True)
        ],
        hint=_advice(problems),
    )


def _described(targets: Sequence[Target]) -> str:
    """Return the targets as text, the Pythons of a platform together."""
    pythons: dict[str, list[str]] = {}
    for target in targets:
        platform = target.id.partition("-")[2] or target.platforms[0]
        pythons.setdefault(platform, []).append(target.abis[0])
    return ", ".join(
        f"{_listed(list(dict.fromkeys(abis)), 'and')} on {platform}"
        for platform, abis in pythons.items()
    )


def _advice(problems: Sequence[MissingWheelError]) -> str:
    """Return the changes that would give all these packages a wheel, the smallest first."""
    packages = list({str(problem.package.key): problem.package for problem in problems}.values())
    first, several = packages[0], len(packages) > 1
    if not several and not _tags(first):
        return "the lock names no file of it: lock the project again"
    would_do, for_some = _sufficient(problems), ""
    if several and not would_do:
        some = [problem for problem in problems if _sufficient([problem])]
        would_do = _sufficient(some) if some else []
        for_some = f" for {', '.join(sorted({problem.package.name for problem in some}))}"
    left_out = sorted({f"--no-install-package {package.name}" for package in packages})
    older = sorted({problem.older for problem in problems if problem.older})
    ways = [
        f"lock {'older versions' if several else 'an older version'} ({', '.join(older)})"
        if older
        else f"lock {'other versions' if several else f'another version of {first.name}'}",
        f"pass --find-links with a folder that has {'wheels of them' if several else 'a wheel of it'}",
        f"leave {'them' if several else 'it'} out with {' '.join(left_out)}",
    ]
    parts = [
        *(
            [f"{_listed(would_do, 'or')} would help{for_some}, if the air-gapped host has it"]
            if would_do
            else []
        ),
        f"{'else ' if would_do else ''}{', '.join(ways[:-1])}, or {ways[-1]}",
    ]
    if any(package.sdist is not None for package in packages):
        whose = "their source archives" if several else "its source archive"
        parts.append(f"{whose} would be built for this host, not for the target")
    has = "" if several else f"it has {_shown(_tags(first), problems[0].target)}: "
    return has + "; ".join(parts)


def _sufficient(problems: Sequence[MissingWheelError]) -> list[str]:
    """Return flags each of which would give all of these a wheel.

    They name the next glibc, musl or macOS, or another Python on the same platform, or both where
    neither is enough. There are none for a described host, which cannot be changed by flags.
    """
    if not all(problem.target.assumed for problem in problems):
        return []
    platforms = _sufficient_platforms(problems)
    pythons = [
        f"--python {name}"
        for name, other in _other_pythons(problems)
        if all(_fits(p.package, other, p.target.platforms) for p in problems)
    ]
    both = (
        f"--platform {name}{_glibc(name)} with --python {version}"
        for name in _newer_platforms(problems)
        for version, other in _other_pythons(problems)
        if all(_fits(p.package, other, parse_platform(name).tags) for p in problems)
    )
    would_do = [*(f"--platform {name}{_glibc(name)}" for name in platforms[:1]), *pythons]
    return would_do or list(both)[:1]


def _sufficient_platforms(problems: Sequence[MissingWheelError]) -> list[str]:
    return [
        name
        for name in _newer_platforms(problems)
        if all(
            _fits(p.package, (p.target.python, p.target.abis), parse_platform(name).tags)
            for p in problems
        )
    ]


def _tags(package: LockedPackage) -> frozenset[Tag]:
    return frozenset(tag for wheel in package.wheels for tag in wheel.tags)


def _fits(package: LockedPackage, python: _Python, platforms: Iterable[str]) -> bool:
    version, abis = python
    return not _tags(package).isdisjoint(tags_for(version, abis, tuple(platforms)))


def _newer_platforms(problems: Sequence[MissingWheelError]) -> Iterator[str]:
    """Yield platforms of the targets' kind with a newer libc or macOS, the smallest step first.

    There are none for targets of several kinds, which no single platform covers.
    """
    targets = [problem.target for problem in problems]
    kinds = {(_kind(target), target.markers.platform_machine) for target in targets}
    if len(kinds) != 1:
        return
    [(kind, machine)] = kinds
    found: set[tuple[int, int, str]] = set()
    for tag in frozenset[Tag]().union(*(_tags(problem.package) for problem in problems)):
        if kind in ("manylinux", "musllinux"):
            match = _LIBC.match(tag.platform)
            if match and match[1] == kind and match[4] == machine:
                found.add((int(match[2]), int(match[3]), f"{kind}_{match[2]}_{match[3]}_{machine}"))
        elif kind == "macosx" and (match := _MACOS.match(tag.platform)):
            found.add((int(match[1]), int(match[2]), f"macosx_{match[1]}_{match[2]}_{machine}"))
    own = {platform for target in targets for platform in target.platforms}
    yield from (name for _, _, name in sorted(found) if name not in own)


def _other_pythons(problems: Sequence[MissingWheelError]) -> Iterator[tuple[str, _Python]]:
    asked = {problem.target.abis for problem in problems}
    for minor in _PYTHON_MINORS:
        abi = f"cp3{minor}"
        if (abi,) not in asked:
            yield f"3.{minor}", ((3, minor), (abi,))


def _kind(target: Target) -> str:
    """Return the kind of a target's platforms: `manylinux`, `macosx`, `win`."""
    return target.platforms[0].split("_", 1)[0].rstrip("0123456789")


def _glibc(platform: str) -> str:
    minor = glibc_minor(platform)
    return "" if minor is None else f" (glibc 2.{minor})"


def _shown(tags: Iterable[Tag], target: Target) -> str:
    """Return tags as text, those of the target's machine and system first."""
    kind = _kind(target)
    machine = target.markers.platform_machine.lower()
    alike = next((names for names in _SAME_MACHINE if machine in names), (machine,))

    def distance(tag: Tag) -> tuple[bool, bool, bool, str]:
        return (
            not tag.platform.endswith(alike) and tag.platform != "any",
            not tag.platform.startswith(kind),
            tag.interpreter != f"cp{target.python[0]}{target.python[1]}",
            str(tag),
        )

    texts = [str(tag) for tag in sorted(tags, key=distance)]
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _listed(texts: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
