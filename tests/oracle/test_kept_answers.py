"""What is kept of uv's answers: found again, compared when asked anew, and free of this host."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.kept_answers import PATH, KeptAnswers
from oracle.uv_runs import TARGETS, Answer

ONE = TARGETS[:1]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "uv.lock"
    path.write_text("at http://127.0.0.1:1234/", encoding="utf-8")
    return path


def says(version: str) -> dict[str, Answer]:
    return {target.id: Answer(packages={"pure": version}) for target in ONE}


def test_asks_once_for_each_lock_and_flags(lock: Path) -> None:
    kept = KeptAnswers(known={}, anew=False)
    for flags in ([], ["--no-dev"]):
        assert kept.packages(lock, flags, ONE, lambda _: says("1.0")) == says("1.0")
        assert kept.packages(lock, flags, ONE, lambda _: says("2.0")) == says("1.0")
    assert len(kept.given) == 2
    lock.write_text("another", encoding="utf-8")
    assert kept.packages(lock, [], ONE, lambda _: says("2.0")) == says("2.0")


def test_another_port_is_the_same_lock(lock: Path) -> None:
    kept = KeptAnswers(known={}, anew=False, names={"127.0.0.1:1234": "@MAIN@"})
    kept.packages(lock, [], ONE, lambda _: says("1.0"))
    lock.write_text("at http://127.0.0.1:4321/", encoding="utf-8")
    again = KeptAnswers(known=kept.known, anew=False, names={"127.0.0.1:4321": "@MAIN@"})
    assert again.packages(lock, [], ONE, lambda _: says("2.0")) == says("1.0")


def test_asked_anew_uv_has_to_say_the_same(lock: Path) -> None:
    known = KeptAnswers(known={}, anew=False)
    known.packages(lock, [], ONE, lambda _: says("1.0"))
    kept = KeptAnswers(known=known.known, anew=True)
    kept.packages(lock, [], ONE, lambda _: says("1.0"))
    with pytest.raises(AssertionError, match="uv said"):
        kept.packages(lock, [], ONE, lambda _: says("2.0"))


def test_kept_answers_are_those_of_this_uv_and_name_no_host() -> None:
    assert [path.name for path in PATH.parent.iterdir()] == [PATH.name]
    text = PATH.read_text(encoding="utf-8")
    assert not any(part in text for part in ("://", "/", "127.0.0.1", "localhost"))
