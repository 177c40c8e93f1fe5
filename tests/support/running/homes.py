"""A home folder of its own for whatever a test runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheelferry_bundler.fetch.certificates import uv_certificates

_FOLDERS = {
    "XDG_CONFIG_HOME": "config",
    "XDG_CACHE_HOME": "cache",
    "XDG_STATE_HOME": "state",
    "WHEELFERRY_CACHE_DIR": "wheelferry-cache",
    "UV_CACHE_DIR": "uv-cache",
}
_FOREIGN = ("SOURCE_DATE_EPOCH", "VIRTUAL_ENV", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def move_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `home` the place of home, config and caches, and forget settings of this host."""
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in _FOLDERS.items():
        monkeypatch.setenv(variable, str(home / folder))
    # The uv that a test starts by itself accepts what this host accepts, such as a company's proxy.
    for variable, value in uv_certificates().items():
        monkeypatch.setenv(variable, value)
    for variable in (*_FOREIGN, *_PROXIES, *map(str.lower, _PROXIES)):
        monkeypatch.delenv(variable, raising=False)
