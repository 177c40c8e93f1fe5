"""The vectors themselves: always the same bytes, each with a name of its own."""

from __future__ import annotations

from collections import Counter

import pytest

from vectors.generate import names, vectors


@pytest.mark.exhaustive
def test_vectors_are_the_same_bytes_each_time() -> None:
    first, second = ({path: files for path, _, files in vectors()} for _ in range(2))
    assert first == second


def test_some_vectors_of_each_family_are_the_same_bytes_each_time() -> None:
    chosen = set(names()[::40])
    first, second = ({path: files for path, _, files in vectors(chosen)} for _ in range(2))
    assert set(first) == chosen
    assert first == second


def test_no_two_vectors_have_one_name() -> None:
    assert [name for name, number in Counter(names()).items() if number > 1] == []
