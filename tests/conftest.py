"""Fixtures for all tests: nothing outside `tmp_path` is read or written, and no network used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.index import LocalIndex, serve


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home, a config and a cache folder of its own, and no settings of this host."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("WHEELFERRY_CACHE_DIR", "wheelferry-cache"),
        ("UV_CACHE_DIR", "uv-cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    for variable in ("SOURCE_DATE_EPOCH", "VIRTUAL_ENV", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    """A package index on 127.0.0.1."""
    with serve() as running:
        yield running


@pytest.fixture
def config_folder() -> Path:
    """Where wheelferry keeps its settings in this test."""
    return Path(os.environ["XDG_CONFIG_HOME"]) / "wheelferry"
