"""The hosts that one target may turn out to be: what is not known of them, or may differ.

`--python 3.12` says nothing of the patch release, and no flag says which kernel runs. The same
answer for all of these hosts needs no question; only where what is chosen differs does one have
to be asked. So markers say which values could make a difference, and selection tries those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import MarkerVariable, Target

_LITERAL = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_PYTHON: Final[tuple[MarkerVariable, ...]] = ("implementation_version", "python_full_version")
_KERNEL: Final[tuple[MarkerVariable, ...]] = ("platform_release", "platform_version")
_NEWEST_PATCH = 999

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class Variant:
    """An environment that a host of the target may have, and the variables that tell it apart."""

    environment: Environment
    varied: frozenset[MarkerVariable]


def base_environment(
    target: Target, requires_python: SpecifierSet | None, wanted_by: str
) -> Environment:
    """Return the environment to select for: the oldest patch release that is allowed, if any is.

    Raises `UnfitError` where `requires_python` rules out the target.
    """
    environment: Environment = target.markers.plain()
    stated = environment["python_full_version"]
    if _allows(requires_python, stated):
        return environment
    if "python_full_version" in target.assumed:
        allowed = [
            v for v in _patches(target, [str(requires_python)]) if _allows(requires_python, v)
        ]
        if allowed:
            return {**environment, **dict.fromkeys(_PYTHON, allowed[0])}
    raise UnfitError(
        f"{wanted_by} requires Python {requires_python}, the target {target.id} has "
        f"{target.markers.python_version if 'python_full_version' in target.assumed else stated}",
        hint="pass a --python that fits, or widen requires-python and lock again",
    )


def variants(
    target: Target,
    base: Environment,
    markers: Iterable[str],
    requires_python: SpecifierSet | None,
) -> Iterator[Variant]:
    """Yield the other environments in which one of these markers might be decided otherwise."""
    texts = list(markers)
    choices: list[list[Environment]] = [[{}]]
    if any(name in text for name in _PYTHON for text in texts):
        patches = _patches(target, [*texts, str(requires_python)])
        choices.append([dict.fromkeys(_PYTHON, v) for v in patches if _allows(requires_python, v)])
    for variable in _KERNEL:
        asking = [text for text in texts if variable in text]
        if asking and variable in target.assumed:
            values = ["0", "99999", *(a or b for text in asking for a, b in _LITERAL.findall(text))]
            choices.append([{str(variable): value} for value in (base[variable], *values)])
    for parts in product(*choices):
        environment = dict(base)
        for part in parts:
            environment.update(part)
        varied = {name for name in (*_PYTHON, *_KERNEL) if environment[name] != base[name]}
        if varied:
            yield Variant(environment, frozenset(varied))


def narrowed(target: Target, base: Environment, requires_python: SpecifierSet | None) -> Target:
    """Return the target as it was selected for, for those patch releases that are allowed."""
    if requires_python is None:
        return target
    markers = target.markers.replaced(**{name: base[name] for name in _PYTHON})
    specifier = target.requires_python
    patches = _patches(target, [str(requires_python)])
    if not all(_allows(requires_python, v) for v in patches):
        specifier = str(SpecifierSet(specifier) & requires_python)
    return target.replaced(markers=markers, requires_python=specifier)


def pinned(target: Target) -> Target:
    """Return the target for the one patch release that it states."""
    version = target.markers.python_full_version
    return target.replaced(requires_python=f"=={version}")


def _allows(requires_python: SpecifierSet | None, version: str) -> bool:
    """Whether a Python will do; its pre-releases count as the release, as uv has it."""
    return requires_python is None or requires_python.contains(
        Version(version.rstrip("+")).base_version, prereleases=True
    )


def _patches(target: Target, texts: Iterable[str]) -> list[str]:
    """Return the patch releases on either side of each one that the texts name, oldest first."""
    minor = target.markers.python_version
    named = {0, _NEWEST_PATCH}
    for text in texts:
        for patch in re.findall(rf"(?<![\d.]){re.escape(minor)}(?:\.(\d+))?(?![\d.*])", text):
            named |= {max(int(patch or 0) + step, 0) for step in (-1, 0, 1)}
    return [f"{minor}.{patch}" for patch in sorted(named)]
