"""How many vectors, faults, fuzzed parsers and mutated modules there are: none goes unnoticed.

Whoever adds one raises its number here. Whoever has to lower one says why in the commit.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from faults.exhaustive import KINDS
from faults.scenarios import SCENARIOS
from faults.test_sampled_faults import KINDS as SAMPLED_KINDS
from faults.test_sampled_faults import SAMPLED
from fuzz.targets import TARGETS
from hostile import test_bundles, test_locks, test_pythons, test_wheels
from mutation.table import TESTS
from oracle.sampling import sampled
from oracle.shapes_all import SHAPES
from oracle.uv_runs import TARGETS as ORACLE_TARGETS
from vectors.generate import names

ROOT = Path(__file__).parents[1]
VECTORS = {
    "archives": 83,
    "locks": 87,
    "manifests": 109,
    "policies": 45,
    "pythons": 202,
    "signatures": 72,
    "tars": 83,
    "wheels": 325,
}


def test_vectors_of_each_family() -> None:
    assert Counter(name.partition("/")[0] for name in names()) == VECTORS


def test_every_vector_is_run_as_a_command() -> None:
    modules = (test_bundles, test_locks, test_pythons, test_wheels)
    assert sum(len(module.VECTORS) for module in modules) == sum(VECTORS.values())
    for module in (test_bundles, test_locks):
        assert {*module.REFUSED, *module.CONTROLS} == set(module.VECTORS)
    refused = {name for name, _ in test_wheels.REFUSED}
    assert {*refused, *test_wheels.CONTROLS} == set(test_wheels.VECTORS)


def test_scenarios_and_kinds_of_faults() -> None:
    assert Counter(name.partition(":")[0] for name in SCENARIOS) == {
        "managed": 19,
        "into": 12,
        "target": 5,
    }
    assert len(set(KINDS)) == 8


def test_sample_of_faults() -> None:
    assert set(SAMPLED) < set(SCENARIOS)
    assert len(SAMPLED) == 13
    assert sum(SAMPLED.values()) == 86
    assert set(SAMPLED_KINDS) == set(KINDS)


def test_fuzzed_parsers() -> None:
    assert len(TARGETS) == 24


def test_mutated_modules() -> None:
    assert len(TESTS) == 27


@pytest.mark.parametrize("module", TESTS)
def test_mutated_module_and_its_tests_are_there(module: str) -> None:
    assert len(list(ROOT.glob(f"*/src/{module.replace('.', '/')}.py"))) == 1
    assert [test for test in TESTS[module] if not (ROOT / "tests" / test).is_file()] == []


def test_matrix_of_the_oracle() -> None:
    assert len(SHAPES) == 48
    assert sum(len(shape.flags) for shape in SHAPES) == 262
    assert len(ORACLE_TARGETS) == 8


def test_sample_and_rest_of_the_oracle_are_the_whole_matrix() -> None:
    for cases in zip(*[iter(sampled([("one", ()), ("other", ())]))] * 2, strict=True):
        targets = [target for case in cases for target in case.values[-1]]
        assert sorted(target.id for target in targets) == sorted(t.id for t in ORACLE_TARGETS)
