"""The vectors themselves: always the same bytes, each with a name of its own."""

from __future__ import annotations

from collections import Counter

from vectors.generate import vectors


def test_vectors_are_the_same_bytes_each_time() -> None:
    first, second = ({path: files for path, _, files in vectors()} for _ in range(2))
    assert first == second


def test_no_two_vectors_have_one_name() -> None:
    names = Counter(path for path, _, _ in vectors())
    assert [name for name, number in names.items() if number > 1] == []
