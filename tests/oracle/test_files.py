from __future__ import annotations

from collections.abc import Sequence

import pytest

from oracle.corpus import Corpus
from oracle.ours import choose
from oracle.sampling import sampled
from oracle.shapes import Shape
from oracle.shapes_all import SHAPES
from oracle.uv_runs import OracleTarget

CASES = sampled([(shape.name, (shape,)) for shape in SHAPES if shape.on_index])


@pytest.mark.parametrize(("shape", "targets"), CASES)
def test_chooses_the_files_that_uv_asks_the_index_for(
    corpus: Corpus, shape: Shape, targets: Sequence[OracleTarget]
) -> None:
    folder = corpus.locked(shape)
    flags = shape.widest.split()
    chosen = choose(folder / "uv.lock", flags, targets)
    for target in targets:
        answer, asked = corpus.files(shape, [*flags, "--no-install-local"], target)
        ours = chosen[target.id]
        if answer.refusal is None:
            assert ours.fetched_wheels == {name for name in asked if name.endswith(".whl")}
        assert bool(ours.problems) == bool(answer.refusal)
