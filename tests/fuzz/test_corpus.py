"""The corpus through its targets, and a few changes of it; `make fuzz` tries more of them."""

from __future__ import annotations

import pytest

from fuzz.fuzzing import CORPUS, feed, seeds
from fuzz.targets import TARGETS


def test_every_target_has_a_corpus() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_takes_every_seed(name: str) -> None:
    for seed in seeds(name):
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_takes_changed_seeds(name: str) -> None:
    feed(TARGETS[name], seeds(name), 60, always_same=True)
