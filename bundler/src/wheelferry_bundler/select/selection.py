"""Selects the packages of a lock for a target, and one file of each.

Pure: the input is a lock and a target, the result a selection or a list of problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, canonicalize_version

from wheelferry_bundler.model.locked import Artifact, LockedPackage, LockedSet, PackageKey
from wheelferry_bundler.select.host_variants import base_environment, check_python, settled
from wheelferry_bundler.select.markers import Markers
from wheelferry_bundler.select.missing_wheels import MissingWheelError
from wheelferry_bundler.select.walk import walk
from wheelferry_bundler.select.wheel_choice import best_wheel
from wheelferry_schemas.errors import MalformedError, UnfitError, WheelferryError
from wheelferry_schemas.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A package for a target, with its wheel, None where it has to be built."""

    package: LockedPackage
    wheel: Artifact | None
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The packages for one target, sorted by name, or the problems that prevent a selection.

    `notes` are for the user who creates the bundle.
    """

    target: Target
    chosen: tuple[Chosen, ...]
    roots: tuple[str, ...]
    locked: LockedSet
    problems: tuple[WheelferryError, ...]
    notes: tuple[str, ...] = ()


def select(locked: LockedSet, target: Target) -> Selection:
    """Choose the packages of `locked` for `target`, and one wheel for each.

    The target of the selection is narrowed to the patch releases that it is valid for.
    """
    try:
        base = base_environment(target, locked.requires_python, locked.name)
        markers = Markers(base)
        _check_environment(locked, markers, target)
        reached = walk(locked, markers)
        target, note = settled(locked, target, base, markers, reached)
    except WheelferryError as error:
        return Selection(target=target, chosen=(), roots=(), locked=locked, problems=(error,))
    installed = [locked.packages[key] for key in sorted(reached.installed, key=_order)]
    names = {package.name for package in installed}
    problems = list(_several_versions(installed, target))
    chosen = []
    for package in installed:
        try:
            _check_inside(package, locked)
            check_python(target, base, package.requires_python, str(package.key))
            wheel = _choose_wheel(package, target)
            extra = () if wheel else _extra_build_requires(package, locked, installed)
        except WheelferryError as error:
            problems.append(error)
            continue
        chosen.append(
            Chosen(
                package=replace(package, build_requires=extra) if extra else package,
                wheel=wheel,
                dependencies=tuple(sorted(reached.packages[package.key] & names)),
            )
        )
    return Selection(
        target=target,
        chosen=tuple(chosen),
        roots=tuple(
            sorted((reached.roots if locked.asked is None else locked.asked.keys()) & names)
        ),
        locked=locked,
        problems=tuple(problems),
        notes=(*locked.notes, *([note] if note else [])),
    )


def _check_environment(locked: LockedSet, markers: Markers, target: Target) -> None:
    if locked.environments and not any(map(markers.holds, locked.environments)):
        raise UnfitError(
            f"{locked.kind} was not made for {target.id}, but for: "
            f"{', '.join(map(repr, locked.environments))}",
            hint="add the platform to the environments of the project, and lock it again",
        )


def _order(key: PackageKey) -> tuple[str, str, str]:
    return key.name, key.version or "", key.source


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


def _check_inside(package: LockedPackage, locked: LockedSet) -> None:
    """Refuse files outside the project: a lock from elsewhere could name any file of this host."""
    if package.source.leaves_project and not locked.outside_allowed:
        raise UnfitError(
            f"{package.key} lies outside the project: {package.source.location}",
            hint="move it into the folder of the lock, or pass --allow-outside-paths",
        )


def _extra_build_requires(
    package: LockedPackage, locked: LockedSet, installed: Iterable[LockedPackage]
) -> tuple[str, ...]:
    """Return the build requirements from uv's settings, at the locked version if so configured."""
    versions = {other.name: other.key.version for other in installed}
    extra = []
    for stated in locked.extra_build_requires.get(package.name, ()):
        requirement = Requirement(stated.text)
        if stated.match_runtime:
            version = versions.get(canonicalize_name(requirement.name))
            if version is None:
                raise UnfitError(
                    f"{package.key} is to be built with the {requirement.name} that it runs with, "
                    f"and no version of {requirement.name} is selected",
                    hint="correct extra-build-dependencies in the settings of uv",
                )
            requirement.specifier = SpecifierSet(f"=={version}")
        extra.append(str(requirement))
    return tuple(extra)


def _choose_wheel(package: LockedPackage, target: Target) -> Artifact | None:
    """Return the wheel to take, None where the package has to be built.

    A package that has wheels, but none that fits, is not built from its source archive: the result
    would be a wheel for this host. Raises `UnfitError`.
    """
    if package.source.kind == "git" and (package.wheels or package.sdist):
        raise UnfitError(
            f"{package.key} is a file in a git repository: {package.source.location}",
            hint="lock it from an index, from a folder of the project, or as a project in git",
        )
    wheel = best_wheel(package.wheels, target)
    if wheel is not None:
        _check_name(package, wheel)
        return wheel
    if not package.wheels and (
        package.sdist is not None or package.source.kind in ("git", "directory", "url", "path")
    ):
        return None
    raise MissingWheelError(package, target)


def _check_name(package: LockedPackage, wheel: Artifact) -> None:
    """Refuse a wheel whose file name is that of another package."""
    name, version = wheel.name_and_version
    locked = package.key.version
    # Some indexes offer 2.0+cpu for 2.0, and uv accepts it.
    versions = {canonicalize_version(text) for text in (version, version.partition("+")[0])}
    if name != package.name or (
        locked is not None and canonicalize_version(locked) not in versions
    ):
        raise MalformedError(
            f"{wheel.file_name} is not a wheel of {package.key}",
            hint="the lock was edited: find out by whom, and lock the project again",
        )
