"""Decides which target of a bundle fits an interpreter; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.bundle.manifest import Manifest, Package
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import MarkerVariable, Target
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

_SAME: tuple[tuple[MarkerVariable, str], ...] = (
    ("implementation_name", "another implementation of Python"),
    ("sys_platform", "another operating system"),
    ("platform_machine", "another processor architecture"),
)
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A target, the interpreter that it fits, and its packages."""

    target: Target
    interpreter: Interpreter
    packages: tuple[Package, ...]


def fit(manifest: Manifest, interpreters: Iterable[Interpreter]) -> Fit:
    """Return the first interpreter that a target fits, with the best of the fitting targets.

    The best target is the one whose newest platform ranks highest with the interpreter. Raises
    `UnfitError` that says why each pair does not fit.
    """
    refusals = []
    asked = []
    for interpreter in interpreters:
        asked.append(interpreter)
        fitting = []
        for target in manifest.targets:
            packages = manifest.packages_for(target.id)
            problems = misfits(target, packages, interpreter)
            if problems:
                refusals.append(f"{target.id}: {'; '.join(problems)}")
            else:
                fitting.append((_rank(target, interpreter), target.id, target, packages))
        if fitting:
            _, _, target, packages = min(fitting, key=lambda entry: entry[:2])
            return Fit(target=target, interpreter=interpreter, packages=packages)
    raise UnfitError(
        f"nothing in the bundle fits {asked[0].description}",
        details=list(dict.fromkeys(refusals)),
        hint=_advice(manifest, asked[0]),
    )


def misfits(target: Target, packages: Sequence[Package], interpreter: Interpreter) -> list[str]:
    """Return all reasons why a target does not fit an interpreter; empty if it does."""
    problems = [
        f"made for {what}: {getattr(target.markers, variable)}, "
        f"this host has {interpreter.markers[variable]}"
        for variable, what in _SAME
        if getattr(target.markers, variable) != interpreter.markers[variable]
    ]
    version = interpreter.markers["python_full_version"]
    if not _has_patch(target, interpreter):
        problems.append(f"made for Python {_pythons(target)}, this host has {version}")
    if problems:
        return problems
    unfit = [
        package.wheel
        for package in packages
        if not any(str(tag) in interpreter.tags for tag in parse_wheel_name(package.wheel)[3])
    ]
    if unfit:
        more = f" and {len(unfit) - _SHOWN} more" if len(unfit) > _SHOWN else ""
        libc = f" (this host has {interpreter.libc})" if interpreter.libc else ""
        problems.append(f"does not run here{libc}: {', '.join(unfit[:_SHOWN])}{more}")
    return problems


def _has_patch(target: Target, interpreter: Interpreter) -> bool:
    version = interpreter.markers["python_full_version"].rstrip("+")
    return SpecifierSet(target.requires_python).contains(version, prereleases=True)


def _of_any_patch(target: Target) -> Target:
    return target.replaced(requires_python=f"=={target.markers.python_version}.*")


def _pythons(target: Target) -> str:
    """Return the patch releases that a target is for, in words if there are few."""
    minor = target.markers.python_version
    bounds = {*target.requires_python.split(",")} - {f"=={minor}.*"}
    if not bounds:
        return minor
    if len(bounds) > 1:
        return ", ".join(sorted(bounds))
    bound = bounds.pop()
    version = bound.lstrip("<>=!~")
    words = {"==": version, ">=": f"{version} and later", "<": f"before {version}"}
    return words.get(bound.removesuffix(version), bound)


def _rank(target: Target, interpreter: Interpreter) -> int:
    """Return the rank of the target's newest platform; targets of older ones rank lower."""
    tag = f"{target.abis[0]}-{target.abis[0]}-{target.platforms[0]}"
    return interpreter.tags.get(tag, len(interpreter.tags))


def _advice(manifest: Manifest, interpreter: Interpreter) -> str:
    pythons = {target.python for target in manifest.targets}
    here = tuple(int(part) for part in interpreter.markers["python_version"].split("."))
    wanted = ", ".join("{}.{}".format(*python) for python in sorted(pythons))
    if here not in pythons:
        return (
            f"if this host has Python {wanted}, pass --python with its path; else ask for a bundle "
            f"made with --python {interpreter.markers['python_version']}"
        )
    mine = [target for target in manifest.targets if target.python == here]
    if any(
        not misfits(_of_any_patch(target), manifest.packages_for(target.id), interpreter)
        for target in mine
    ):
        return f"ask for a bundle made with --python {_release(interpreter)}"
    platforms = [tag.rsplit("-", 1)[1] for tag in interpreter.tags]
    # A plain linux_* says nothing about the libc.
    platform = next((p for p in platforms if not p.startswith("linux_")), platforms[0])
    patch_too = not any(_has_patch(target, interpreter) for target in mine)
    python = f" --python {_release(interpreter)}" if patch_too else ""
    return f"ask for a bundle made with --platform {platform}{python}"


def _release(interpreter: Interpreter) -> str:
    return Version(interpreter.markers["python_full_version"].rstrip("+")).base_version
