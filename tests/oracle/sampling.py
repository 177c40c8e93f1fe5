"""Which part of the matrix a run takes: half of the targets for each case, all with `exhaustive`.

The halves alternate from case to case, so that every target meets every second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from oracle.uv_runs import TARGETS


def sampled(cases: Sequence[tuple[str, tuple[object, ...]]]) -> list[Any]:
    """Return parameters, each case with four of the targets, and marked with the other four."""
    parameters = []
    for number, (name, values) in enumerate(cases):
        first, second = TARGETS[number % 2 :: 2], TARGETS[1 - number % 2 :: 2]
        parameters.append(pytest.param(*values, first, id=name))
        parameters.append(
            pytest.param(*values, second, id=f"{name} (rest)", marks=pytest.mark.exhaustive)
        )
    return parameters
