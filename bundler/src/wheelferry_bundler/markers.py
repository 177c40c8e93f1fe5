"""Markers, decided for a target and never for the machine that decides.

uv states conflicts by synthetic extras (`extra == 'extra-3-foo-cpu'`). They are a set, of which
many may be active, so such comparisons are read as membership in `extras`, the set that lock
files know (PEP 751).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache

from packaging.markers import InvalidMarker, Marker, UndefinedComparison

from wheelferry_schemas.errors import MalformedError, UnfitError
from wheelferry_schemas.target import MarkerVariable, Target

_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*('[^']*'|"[^"]*")""")
_LITERAL = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_NO_NAMES: frozenset[str] = frozenset()
_NEWEST_PATCH = 999
_HOST_VARIABLES: tuple[MarkerVariable, ...] = (
    "implementation_version",
    "platform_release",
    "platform_version",
    "python_full_version",
)
"""What differs between hosts that take the same wheels."""


class Markers:
    """Decides markers for one target.

    `extras` and `groups` of `holds` are the sets behind the variables `extras` and
    `dependency_groups`; synthetic extras belong to the former.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._environment = {
            **target.markers.model_dump(),
            # `extra` belongs to requirements, never to a lock; evaluating one is not an error.
            "extra": "",
        }
        self._cache: dict[tuple[str, Set[str], Set[str]], bool] = {}
        self._decisive: set[MarkerVariable] = set()

    @property
    def patch_matters(self) -> bool:
        """Whether any answer so far would differ on another patch release of the same Python."""
        return not self._decisive.isdisjoint({"implementation_version", "python_full_version"})

    def holds(
        self, marker: str | None, extras: Set[str] = _NO_NAMES, groups: Set[str] = _NO_NAMES
    ) -> bool:
        """Tell whether a marker holds.

        Raises `MalformedError` for what is not a marker, and `UnfitError` where the answer hangs
        on something that is not known of the target.
        """
        if marker is None:
            return True
        key = (marker, frozenset(extras), frozenset(groups))
        if key not in self._cache:
            self._cache[key] = self._decide(*key)
        return self._cache[key]

    def _decide(self, text: str, extras: Set[str], groups: Set[str]) -> bool:
        marker = _parse(text)
        sets: dict[str, str | Set[str]] = {"extras": extras, "dependency_groups": groups}
        try:
            answer = marker.evaluate({**self._environment, **sets}, context="lock_file")
            for variable in _HOST_VARIABLES:
                if variable in text and any(
                    answer
                    != marker.evaluate(
                        {**self._environment, **sets, variable: value}, context="lock_file"
                    )
                    for value in self._other_values(variable, text)
                ):
                    if variable in self._target.assumed:
                        raise self._undecidable(variable, text)
                    self._decisive.add(variable)
        except UndefinedComparison as error:
            raise MalformedError(f"the marker {text!r} cannot be decided: {error}") from error
        return answer

    def _other_values(self, variable: MarkerVariable, text: str) -> Iterator[str]:
        """Yield values that a host of this target might have instead of the assumed one."""
        if variable in ("python_full_version", "implementation_version"):
            minor = self._target.markers.python_version
            yield f"{minor}.{_NEWEST_PATCH}"
            for patch in re.findall(rf"\b{re.escape(minor)}\.(\d+)", text):
                yield from (f"{minor}.{max(int(patch) + step, 0)}" for step in (-1, 0, 1))
        else:
            yield from ("0", "99999", *(a or b for a, b in _LITERAL.findall(text)))

    def _undecidable(self, variable: MarkerVariable, text: str) -> UnfitError:
        if variable in ("python_full_version", "implementation_version"):
            hint = (
                "name the release that the far side has, for example --python "
                f"{self._target.markers.python_version}.4"
            )
        else:
            hint = f"nothing is known of {variable} of a host that is not here"
        return UnfitError(
            f"whether {text!r} holds on {self._target.id} depends on {variable}", hint=hint
        )


@cache
def _parse(text: str) -> Marker:
    def membership(match: re.Match[str]) -> str:
        return f"{match[2]} {'in' if match[1] == '==' else 'not in'} extras"

    try:
        return Marker(_EXTRA.sub(membership, text))
    except InvalidMarker as error:
        raise MalformedError(f"not a marker: {text!r}") from error
