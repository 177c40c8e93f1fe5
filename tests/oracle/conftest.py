"""One corpus for all tests of a run: locking it takes longer than reading it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle.corpus import Corpus
from oracle.uv_runs import Uv
from support.running.index import serve


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """Projects of every shape, locked by uv."""
    folder = tmp_path_factory.mktemp("oracle")
    with serve() as main, serve() as second:
        uv = Uv(folder / "uv", main.simple_url)
        yield Corpus(folder=folder, main=main, second=second, uv=uv)
