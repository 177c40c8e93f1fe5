"""Fixtures for tests of what uv resolves."""

from __future__ import annotations

import pytest

from support.making.unlocked import PACKAGES
from support.running.index import LocalIndex


@pytest.fixture
def uv_with_the_local_index(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have uv resolve from the local index alone."""
    index.add(*PACKAGES)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple_url)
    # Of failing requests, one is enough.
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
