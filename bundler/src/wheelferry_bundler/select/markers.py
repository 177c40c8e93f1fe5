"""Markers, decided for a target and never for the machine that decides.

uv states conflicts by synthetic extras (`extra == 'extra-3-foo-cpu'`). They are a set, of which
many may be active, so such comparisons are read as membership in `extras`, the set that lock
files know (PEP 751).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from functools import lru_cache

from packaging.markers import InvalidMarker, Marker, UndefinedComparison

from wheelferry_schemas.errors import MalformedError

_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*('[^']*'|"[^"]*")""")
_NAMES = re.compile(r"\bextras?\b|\bdependency_groups\b")
_NONE: frozenset[str] = frozenset()


class Markers:
    """Decides markers in one environment.

    `extras` and `groups` of `holds` are the sets behind the variables `extras` and
    `dependency_groups`; synthetic extras belong to the former. `decided` are all markers that
    were asked for, without duplicates.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        # `extra` belongs to requirements, never to a lock; evaluating one is not an error.
        self._environment = {**environment, "extra": ""}
        self._answers: dict[str, bool] = {}
        self._answers_with_names: dict[tuple[str, Set[str], Set[str]], bool] = {}

    @property
    def decided(self) -> frozenset[str]:
        """The texts of all markers that were decided."""
        return frozenset((*self._answers, *(text for text, _, _ in self._answers_with_names)))

    def holds(
        self, marker: str | None, extras: frozenset[str] = _NONE, groups: frozenset[str] = _NONE
    ) -> bool:
        """Tell whether a marker holds; raises `MalformedError` for what is not one."""
        if marker is None:
            return True
        answer = self._answers.get(marker)
        if answer is not None:
            return answer
        if depends_on_names(marker):
            key = (marker, extras, groups)
            if key not in self._answers_with_names:
                self._answers_with_names[key] = self._decide(marker, extras, groups)
            return self._answers_with_names[key]
        return self._answers.setdefault(marker, self._decide(marker, _NONE, _NONE))

    def _decide(self, text: str, extras: Set[str], groups: Set[str]) -> bool:
        environment: dict[str, str | Set[str]] = {
            **self._environment,
            "extras": extras,
            "dependency_groups": groups,
        }
        try:
            return _parse(text).evaluate(environment, context="lock_file")
        except UndefinedComparison as error:
            raise MalformedError(f"the marker {text!r} cannot be decided: {error}") from error


@lru_cache(maxsize=10_000)
def depends_on_names(text: str) -> bool:
    """Whether a marker asks for extras or groups."""
    return _NAMES.search(text) is not None


@lru_cache(maxsize=10_000)
def _parse(text: str) -> Marker:
    def membership(match: re.Match[str]) -> str:
        return f"{match[2]} {'in' if match[1] == '==' else 'not in'} extras"

    try:
        return Marker(_EXTRA.sub(membership, text))
    except InvalidMarker as error:
        raise MalformedError(f"not a marker: {text!r}") from error
    except RecursionError as error:
        raise MalformedError(f"a marker is nested too deep: {text[:100]!r}…") from error
