"""The hosts that one target may turn out to be: what is not known of them, or may differ.

`--python 3.12` says nothing of the patch release, and no flag says which kernel runs. The same
answer for all of these hosts needs no question. So markers say which values could make a
difference, and selection tries those: a target is narrowed to the patch releases that have the
same answer, and where the kernel decides, that has to be stated.
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
    """Return the environment to select for: the newest patch release that is allowed, if any is.

    Raises `UnfitError` where `requires_python` rules out the target.
    """
    own = own_patch(target, requires_python)
    if own is None:
        raise _unfit(target, requires_python, wanted_by)
    return at_patch(target, own)


def check_python(
    target: Target, base: Environment, requires_python: SpecifierSet | None, wanted_by: str
) -> None:
    """Refuse what does not run with the Python of the environment; raises `UnfitError`."""
    if not allows(requires_python, base["python_full_version"]):
        raise _unfit(target, requires_python, wanted_by)


def settled(
    locked: LockedSet, target: Target, base: Environment, markers: Markers, reached: Reached
) -> tuple[Target, str | None]:
    """Return the target, narrowed to the hosts for which all that is reached is the choice.

    With it comes what a person is told of that. Raises `UnfitError` where it hangs on something
    that nobody stated.
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
    """Return the target for the patch releases whose needs are those of `own`, and what is told.

    Raises as `settle` does.
    """
    found = settle(target, own, needs)
    python = dict.fromkeys(_PYTHON, found.oldest) if is_assumed(target) else {}
    markers_there = target.markers.replaced(**python)
    return target.replaced(markers=markers_there, requires_python=found.requires_python), found.note


@dataclass
class _Others:
    """What is installed on the other hosts that a target may turn out to be.

    `asked` are the markers that decided it, there and here.
    """

    locked: LockedSet
    base: Environment
    markers: Markers
    reached: Reached

    def __post_init__(self) -> None:
        self.asked = self.markers.decided

    def by_patch(self, target: Target) -> Mapping[Patches, frozenset[PackageKey]]:
        """Return what is installed for each part of the target's patch releases."""
        allowed = self._allowed(target)
        parts = patch_parts(target, self.asked, allowed)
        while True:
            needs = {part: self.installed(self.at(part, target)) for part in parts}
            # What only other hosts reach may have markers of its own.
            again = patch_parts(target, self.asked, allowed)
            if again == parts:
                return needs
            parts = again

    def at(self, part: Patches, target: Target) -> Environment:
        """Return the environment of a part of the target's patch releases."""
        if patch_of(self.base["python_full_version"]) in part:
            return self.base
        return at_patch(target, part.first)

    def installed(self, environment: Environment) -> frozenset[PackageKey]:
        """Return what is installed; walks only where a marker is decided otherwise."""
        varied = [name for name in (*_PYTHON, *_KERNEL) if environment[name] != self.base[name]]
        asking = [text for text in self.markers.decided if any(v in text for v in varied)]
        others = Markers(environment)
        if all(_same(text, self.markers, others) for text in asking):
            return self.reached.installed
        installed = walk(self.locked, others).installed
        self.asked |= others.decided
        return installed

    def _allowed(self, target: Target) -> Sequence[SpecifierSet]:
        """Return the specifiers of all that is installed; what rules out the base is told later."""
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
    # Which synthetic extras are active may change as well, so such markers decide nothing here.
    return not depends_on_names(text) and markers.holds(text) == others.holds(text)


def at_patch(target: Target, patch: int) -> Environment:
    """Return the environment of a patch release of the target."""
    environment: Environment = target.markers.plain()
    if not is_assumed(target) and patch == own_patch(target):
        return environment
    return {**environment, **dict.fromkeys(_PYTHON, f"{target.markers.python_version}.{patch}")}


def patch_parts(
    target: Target, markers: Iterable[str], allowed: Sequence[SpecifierSet]
) -> tuple[Patches, ...]:
    """Return the patch releases that are allowed, in parts that none of these markers divides."""
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
    """Yield environments in which a marker on the kernel might be decided otherwise.

    Each comes with the variable that tells it apart; there is none where the kernel is stated.
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
