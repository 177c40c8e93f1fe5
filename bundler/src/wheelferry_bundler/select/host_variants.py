"""Handles what a target leaves open about its hosts: the patch release of Python, the kernel.

`--python 3.12` does not state the patch release, and no flag states the kernel. Where the selection
is the same for all values, they do not matter. The markers show which values could make a
difference, and selection tries these: a target is narrowed to the patch releases with the same
selection, and where the kernel decides, it has to be stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from packaging.specifiers import SpecifierSet

from wheelferry_bundler.model.locked import LockedSet, PackageKey
from wheelferry_bundler.select.markers import Markers, depends_on_names
from wheelferry_bundler.select.patch_releases import (
    Patches,
    allows,
    divide,
    is_assumed,
    own_patch,
    patch_of,
    settle,
)
from wheelferry_bundler.select.walk import Reached, walk
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import MarkerVariable, Target

_LITERAL = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_PYTHON: Final[tuple[MarkerVariable, ...]] = ("implementation_version", "python_full_version")
_KERNEL: Final[tuple[MarkerVariable, ...]] = ("platform_release", "platform_version")

Environment = dict[str, str]


def base_environment(
    target: Target, requires_python: SpecifierSet | None, wanted_by: str
) -> Environment:
    """Return the environment to select for: that of the newest allowed patch release.

    Raises `UnfitError` where `requires_python` rules out the target.
    """
    own = own_patch(target, requires_python)
    if own is None:
        raise _unfit(target, requires_python, wanted_by)
    return at_patch(target, own)


def check_python(
    target: Target, base: Environment, requires_python: SpecifierSet | None, wanted_by: str
) -> None:
    """Raise `UnfitError` for a package that excludes the Python of the environment."""
    if not allows(requires_python, base["python_full_version"]):
        raise _unfit(target, requires_python, wanted_by)


def settled(
    locked: LockedSet, target: Target, base: Environment, markers: Markers, reached: Reached
) -> tuple[Target, str | None]:
    """Return the target narrowed to the hosts with this selection, and a note for the user.

    Raises `UnfitError` where the selection depends on a value that is not stated.
    """
    others = _Others(locked, base, markers, reached)
    needs = others.by_patch(target)
    for part, installed in needs.items():
        if installed != reached.installed:
            continue
        for variable, environment in _kernels(target, others.at(part, target), others.asked):
            if differing := others.installed(environment) ^ installed:
                names = ", ".join(sorted({str(key) for key in differing}))
                raise UnfitError(
                    f"whether {target.id} needs {names} depends on {variable}",
                    hint="describe the host with `bundle target` there, and pass --target: "
                    f"{variable} is its",
                )
    return narrowed(target, patch_of(base["python_full_version"]), needs)


def narrowed(
    target: Target, own: int, needs: Mapping[Patches, frozenset[PackageKey]]
) -> tuple[Target, str | None]:
    """Return the target for the patch releases with the needs of `own`, and a note for the user.

    Raises as `settle`.
    """
    found = settle(target, own, needs)
    python = dict.fromkeys(_PYTHON, found.oldest) if is_assumed(target) else {}
    markers_there = target.markers.replaced(**python)
    return target.replaced(markers=markers_there, requires_python=found.requires_python), found.note


@dataclass
class _Others:
    """The selections for the other hosts that a target may describe.

    `asked` are the markers that decided them.
    """

    locked: LockedSet
    base: Environment
    markers: Markers
    reached: Reached

    def __post_init__(self) -> None:
        self.asked = self.markers.decided

    def by_patch(self, target: Target) -> Mapping[Patches, frozenset[PackageKey]]:
        """Return the packages for each range of the target's patch releases."""
        allowed = self._allowed(target)
        parts = patch_parts(target, self.asked, allowed)
        while True:
            needs = {part: self.installed(self.at(part, target)) for part in parts}
            # Packages that only other hosts reach may add markers.
            again = patch_parts(target, self.asked, allowed)
            if again == parts:
                return needs
            parts = again

    def at(self, part: Patches, target: Target) -> Environment:
        """Return the environment for a range of the target's patch releases."""
        if patch_of(self.base["python_full_version"]) in part:
            return self.base
        return at_patch(target, part.first)

    def installed(self, environment: Environment) -> frozenset[PackageKey]:
        """Return the packages for an environment; walks only where a marker changes."""
        varied = [name for name in (*_PYTHON, *_KERNEL) if environment[name] != self.base[name]]
        asking = [text for text in self.markers.decided if any(v in text for v in varied)]
        others = Markers(environment)
        if all(_same(text, self.markers, others) for text in asking):
            return self.reached.installed
        installed = walk(self.locked, others).installed
        self.asked |= others.decided
        return installed

    def _allowed(self, target: Target) -> Sequence[SpecifierSet]:
        """Return the specifiers of all packages; those that exclude the base are reported later."""
        packages = (self.locked.packages[key].requires_python for key in self.reached.installed)
        version = self.base["python_full_version"]
        return [
            SpecifierSet(target.requires_python),
            *(
                specifier
                for specifier in dict.fromkeys([self.locked.requires_python, *packages])
                if specifier is not None and allows(specifier, version)
            ),
        ]


def _same(text: str, markers: Markers, others: Markers) -> bool:
    # The active synthetic extras may change too, so such markers are inconclusive here.
    return not depends_on_names(text) and markers.holds(text) == others.holds(text)


def at_patch(target: Target, patch: int) -> Environment:
    """Return the target's environment for a patch release."""
    environment: Environment = target.markers.plain()
    if not is_assumed(target) and patch == own_patch(target):
        return environment
    return {**environment, **dict.fromkeys(_PYTHON, f"{target.markers.python_version}.{patch}")}


def patch_parts(
    target: Target, markers: Iterable[str], allowed: Sequence[SpecifierSet]
) -> tuple[Patches, ...]:
    """Return the allowed patch releases in ranges that none of these markers divides."""
    minor = target.markers.python_version
    texts = [text for text in markers if any(name in text for name in _PYTHON)]
    return tuple(
        part
        for part in divide(target, [*texts, *map(str, allowed)])
        if all(allows(specifier, f"{minor}.{part.first}") for specifier in allowed)
    )


def _kernels(
    target: Target, base: Environment, markers: Iterable[str]
) -> Iterator[tuple[MarkerVariable, Environment]]:
    """Yield a variable and an environment for each kernel that might change a marker.

    Where the kernel is stated, there is none.
    """
    texts = list(markers)
    choices: list[list[Environment]] = [[{}]]
    for variable in _KERNEL:
        asking = [text for text in texts if variable in text]
        if asking and variable in target.assumed:
            values = ["0", "99999", *(a or b for text in asking for a, b in _LITERAL.findall(text))]
            choices.append([{str(variable): value} for value in (base[variable], *values)])
    for parts in product(*choices):
        environment = dict(base)
        for part in parts:
            environment.update(part)
        varied = [name for name in _KERNEL if environment[name] != base[name]]
        if varied:
            yield varied[-1], environment


def _unfit(target: Target, requires_python: SpecifierSet | None, wanted_by: str) -> UnfitError:
    markers = target.markers
    has = markers.python_version if is_assumed(target) else markers.python_full_version
    return UnfitError(
        f"{wanted_by} requires Python {requires_python}, the target {target.id} has {has}",
        hint="pass a --python that fits, or widen requires-python and lock again",
    )
