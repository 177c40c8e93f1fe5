from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from oracle.comparison import both
from oracle.corpus import Corpus
from oracle.ours import choose
from oracle.shapes_sources import NO_WHEEL, NO_WHEEL_BUT_SOURCE, OUTSIDE
from oracle.uv_runs import TARGETS, OracleTarget

_REFUSED = re.compile(r"Distribution `([^=`]+)==")


@pytest.mark.parametrize("flags", NO_WHEEL.flags)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.id)
def test_names_at_once_all_that_uv_refuses_one_by_one(
    corpus: Corpus, flags: str, target: OracleTarget
) -> None:
    folder = corpus.locked(NO_WHEEL)
    problems = choose(folder / "uv.lock", flags.split(), [target])[target.id].problems
    named = {problem.split(" ", 1)[0] for problem in problems}
    assert named == _refused_by_uv(corpus, flags.split(), target)


def _refused_by_uv(corpus: Corpus, flags: Sequence[str], target: OracleTarget) -> set[str]:
    """Leave out what uv refuses until it refuses nothing; returns what was left out."""
    refused: list[str] = []
    while True:
        left_out = [option for name in refused for option in ("--no-install-package", name)]
        arguments = [*flags, *left_out]
        answer = corpus.uv.sync(corpus.locked(NO_WHEEL), arguments, [target])[target.id]
        if answer.refusal is None:
            return set(refused)
        match = _REFUSED.search(answer.refusal)
        assert match, answer.refusal
        refused.append(match[1])


def test_advises_the_lowest_glibc_that_is_enough_for_uv(corpus: Corpus) -> None:
    folder = corpus.locked(NO_WHEEL)
    flags = ["--no-install-package", "gil-only", "--no-dev"]
    [hint] = choose(folder / "uv.lock", flags, TARGETS[:1])[TARGETS[0].id].hints
    assert ": --platform manylinux_2_34_x86_64 (glibc 2.34) would help" in hint
    answers = corpus.uv.sync(
        folder,
        flags,
        [
            OracleTarget(f"manylinux_2_{minor}_x86_64", "3.12.4", f"x86_64-manylinux_2_{minor}")
            for minor in (33, 34)
        ],
    )
    assert [answer.refusal is None for answer in answers.values()] == [False, True]


def test_refuses_what_uv_would_build_for_another_platform(corpus: Corpus) -> None:
    """A deliberate difference; see docs/explanation/selection.md."""
    folder = corpus.locked(NO_WHEEL_BUT_SOURCE)
    expected = corpus.uv.sync(folder, [])
    chosen = choose(folder / "uv.lock", [])
    assert all("fallback" in answer.packages for answer in expected.values())
    assert {target for target, choice in chosen.items() if not choice.problems} == {
        "cp312_4-win_amd64"
    }


def test_refuses_path_outside_the_project_until_it_is_allowed(corpus: Corpus) -> None:
    """A deliberate difference; see docs/explanation/selection.md."""
    lock = corpus.locked(OUTSIDE) / "uv.lock"
    assert all(choice.problems for choice in choose(lock, []).values())
    expected = corpus.uv.sync(lock.parent, [])
    ours, theirs = both(choose(lock, ["--allow-outside-paths"]), expected)
    assert ours == theirs
