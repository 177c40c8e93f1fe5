"""Fixtures for all tests: nothing outside `tmp_path` is read or written, and no network used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.homes import move_home
from support.index import LocalIndex, serve


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home, a config and a cache folder of its own, and no settings of this host."""
    move_home(tmp_path_factory.mktemp("home"), monkeypatch)


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    """A package index on 127.0.0.1."""
    with serve() as running:
        yield running


@pytest.fixture
def config_folder() -> Path:
    """Where wheelferry keeps its settings in this test."""
    return Path(os.environ["XDG_CONFIG_HOME"]) / "wheelferry"
