import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.running.command import tree
from support.running.crashes import run_killed
from support.running.generations import (
    KEPT,
    beside,
    fill,
    generation_of,
    install_generation,
    recover,
    roll_back,
)
from wheelferry_installer.environment.generations import ManagedEnvironment

# Killed: afterwards one more run, and everything is old or everything is new.


def _states(parent: Path) -> Iterator[tuple[int, Path]]:
    """Yield 1, 2, 3 …, each with a fresh place for an environment."""
    for at in itertools.count(1):
        yield at, parent / str(at) / "env"


@pytest.mark.usefixtures("both_ways")
def test_killed_at_any_change_of_an_update(tmp_path: Path) -> None:
    outcomes = []
    for at, environment in _states(tmp_path):
        install_generation(environment, "zero")
        install_generation(environment, "one")
        old, older = tree(environment), tree(ManagedEnvironment(environment).previous)
        killed = run_killed(lambda: install_generation(environment, "two"), at)  # noqa: B023
        recover(environment)
        previous = tree(ManagedEnvironment(environment).previous)
        outcomes.append(generation_of(environment))
        if outcomes[-1] == "one":
            assert (tree(environment), previous) == (old, older)
        else:
            assert (tree(environment), previous) == (fill(tmp_path / f"new{at}", "two"), old)
        assert beside(environment) == KEPT
        if not killed:
            break
    assert outcomes[0] == "one"
    assert outcomes[-1] == "two"
    assert "one" not in outcomes[outcomes.index("two") :]


@pytest.mark.usefixtures("both_ways")
def test_killed_at_any_change_of_a_first_installation(tmp_path: Path) -> None:
    outcomes = []
    for at, environment in _states(tmp_path):
        killed = run_killed(lambda: install_generation(environment, "one"), at)  # noqa: B023
        recover(environment)
        outcomes.append(generation_of(environment))
        # A folder that was made for nothing went again, or is empty.
        left = os.listdir(environment.parent) if environment.parent.exists() else []
        assert left == (["env"] if outcomes[-1] else [])
        if not killed:
            break
    assert outcomes[0] is None
    assert outcomes[-1] == "one"


@pytest.mark.usefixtures("both_ways")
def test_killed_at_any_change_of_a_rollback(tmp_path: Path) -> None:
    outcomes = []
    for at, environment in _states(tmp_path):
        install_generation(environment, "one")
        first = tree(environment)
        install_generation(environment, "two")
        second = tree(environment)
        killed = run_killed(lambda: roll_back(environment), at)  # noqa: B023
        recover(environment)
        outcomes.append(generation_of(environment))
        found = tree(environment), tree(ManagedEnvironment(environment).previous)
        assert found == ((second, first) if outcomes[-1] == "two" else (first, second))
        assert beside(environment) == KEPT
        if not killed:
            break
    assert outcomes[0] == "two"
    assert outcomes[-1] == "one"


@pytest.mark.usefixtures("both_ways")
def test_killed_again_at_any_change_of_the_recovery(tmp_path: Path) -> None:
    seen: set[tuple[str | None, frozenset[str]]] = set()
    for at, place in _states(tmp_path):
        install_generation(place, "one")
        killed = run_killed(lambda: install_generation(place, "two"), at)  # noqa: B023
        left = generation_of(place), frozenset(beside(place))
        if killed and left not in seen:
            _kill_recoveries(tmp_path, at)
        seen.add(left)
        if not killed:
            break
    assert len(seen) > 5


def _kill_recoveries(parent: Path, first: int) -> None:
    """Kill an update before its change number `first`, and the recovery before each of its own."""
    for at, environment in _states(parent / f"after {first}"):
        install_generation(environment, "one")
        old = tree(environment)
        run_killed(lambda: install_generation(environment, "two"), first)  # noqa: B023
        killed = run_killed(lambda: recover(environment), at)  # noqa: B023
        recover(environment)
        if generation_of(environment) == "one":
            assert tree(environment) == old
            assert os.listdir(environment.parent) == ["env"]
        else:
            assert generation_of(environment) == "two"
            assert tree(ManagedEnvironment(environment).previous) == old
            assert beside(environment) == KEPT
        if not killed:
            break
