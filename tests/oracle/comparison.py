"""Brings both sides' answers into one form."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.ours import Choice
from oracle.uv_runs import Answer

Comparable = dict[str, object]


def both(
    chosen: Mapping[str, Choice], expected: Mapping[str, Answer]
) -> tuple[Comparable, Comparable]:
    """Return what we choose and what uv says, by target; equal where they agree.

    uv does not state the versions of local projects; there only the names are compared.
    """
    assert set(chosen) == set(expected)
    ours = {target: _ours(chosen[target], answer) for target, answer in expected.items()}
    theirs: Comparable = {
        target: answer.packages if answer.refusal is None else "refused"
        for target, answer in expected.items()
    }
    return ours, theirs


def _ours(choice: Choice, answer: Answer) -> object:
    if choice.problems:
        return "refused" if answer.refusal else choice.problems
    unstated = {name for name, version in answer.packages.items() if version is None}
    return {
        name: None if name in unstated else version for name, version in choice.versions.items()
    }
