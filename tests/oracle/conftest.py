"""One corpus for all tests of a run: locking it takes longer than reading it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle.corpus import Corpus
from oracle.uv_runs import Uv
from support.running.index import serve


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `exhaustive`, unless it is asked for."""
    if "exhaustive" in config.getoption("markexpr"):
        return
    rest = [item for item in items if item.get_closest_marker("exhaustive")]
    config.hook.pytest_deselected(items=rest)
    items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """Projects of every shape, locked by uv."""
    folder = tmp_path_factory.mktemp("oracle")
    with serve() as main, serve() as second:
        uv = Uv(folder / "uv", main.simple_url)
        yield Corpus(folder=folder, main=main, second=second, uv=uv)
