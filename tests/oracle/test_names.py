from __future__ import annotations

from collections.abc import Sequence

import pytest

from oracle.comparison import both
from oracle.corpus import Corpus
from oracle.ours import choose
from oracle.sampling import sampled
from oracle.shapes import Shape
from oracle.shapes_all import SHAPES
from oracle.uv_runs import OracleTarget

CASES = sampled(
    [
        (f"{shape.name}: {flags or 'no flags'}", (shape, flags))
        for shape in SHAPES
        for flags in shape.flags
    ]
)


@pytest.mark.parametrize(("shape", "flags", "targets"), CASES)
def test_chooses_the_packages_that_uv_would_install(
    corpus: Corpus, shape: Shape, flags: str, targets: Sequence[OracleTarget]
) -> None:
    folder = corpus.locked(shape)
    expected = corpus.packages(shape, flags.split(), targets)
    ours, theirs = both(choose(folder / "uv.lock", flags.split(), targets), expected)
    assert ours == theirs
