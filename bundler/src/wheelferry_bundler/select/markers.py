"""Evaluates markers for a target, independent of this host.

uv expresses conflicts by synthetic extras (`extra == 'extra-3-foo-cpu'`). Several may be active, so
such comparisons are read as membership in `extras`, the set in markers of lock files (PEP 751).
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
    """Evaluates markers in one environment, each once.

    `extras` and `groups` of `holds` are the values of the variables `extras` and
    `dependency_groups`; the former includes synthetic extras.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        # `extra` has no meaning in a lock, but evaluating it is not an error.
        self._environment = {**environment, "extra": ""}
        self._answers: dict[str, bool] = {}
        self._answers_with_names: dict[tuple[str, Set[str], Set[str]], bool] = {}

    @property
    def decided(self) -> frozenset[str]:
        """The texts of all markers that were evaluated."""
        return frozenset((*self._answers, *(text for text, _, _ in self._answers_with_names)))

    def holds(
        self, marker: str | None, extras: frozenset[str] = _NONE, groups: frozenset[str] = _NONE
    ) -> bool:
        """Return whether a marker holds; raises `MalformedError` for an invalid one."""
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
    """Return whether a marker depends on extras or groups."""
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
