"""One corpus for all tests of a run: locking it takes longer than reading it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle.corpus import Corpus
from oracle.kept_answers import KeptAnswers, read
from oracle.uv_runs import Uv
from support.running.index import serve


@pytest.fixture(scope="session")
def corpus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, takes_all: bool
) -> Iterator[Corpus]:
    """Projects of every shape, locked by uv."""
    folder = tmp_path_factory.mktemp("oracle")
    with serve() as main, serve() as second:
        uv = Uv(folder / "uv", main.simple_url)
        keeps = bool(request.config.getoption("keep_answers"))
        kept = KeptAnswers(known={} if keeps else read(), anew=takes_all)
        yield Corpus(folder=folder, main=main, second=second, uv=uv, kept=kept)
        if keeps:
            kept.write()
