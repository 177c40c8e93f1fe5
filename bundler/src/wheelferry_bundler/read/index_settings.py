"""Finds the indexes in uv's and pip's settings, for their logins.

The lock decides which file comes from which index, but contains no secrets: the login for an index
is part of its URL in pyproject.toml, uv.toml or the environment, or in variables named after it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.read.toml_tables import Table, read_toml

_NAMED = re.compile(r"([A-Za-z0-9._-]+)=(?=[a-z+]+://)")
_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_DEFAULT_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_SYSTEM_SETTINGS = Path("/etc/uv/uv.toml")


def known_indexes(folder: Path, environ: Mapping[str, str] = os.environ) -> tuple[Index, ...]:
    """Return the indexes in the settings of a project folder, the user and the host.

    Raises `MalformedError` where a settings file is not TOML.
    """
    found = [
        index
        for variable in (*_DEFAULT_VARIABLES, *_VARIABLES)
        for index in _from_text(environ.get(variable, ""), variable in _DEFAULT_VARIABLES)
    ]
    for uv in _settings(folder, environ):
        found += _from_settings(uv)
    return tuple(index for index in found if "://" in index.url)


def _settings(folder: Path, environ: Mapping[str, str]) -> Iterator[Table]:
    """Yield the tables in which uv would look for its settings, nearest first."""
    if sys.platform == "win32":
        own = environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    else:
        # uv uses this folder on macOS too.
        own = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    stated = environ.get("UV_CONFIG_FILE")
    for path in (
        *((Path(stated),) if stated else ()),
        folder / "uv.toml",
        folder / "pyproject.toml",
        Path(own) / "uv" / "uv.toml",
        _SYSTEM_SETTINGS,
    ):
        if path.is_file():
            table = read_toml(path)
            yield table.table("tool").table("uv") if path.name == "pyproject.toml" else table


def _from_settings(uv: Table) -> Iterator[Index]:
    for entry in uv.tables("index"):
        yield Index(
            url=entry.text("url"),
            name=entry.optional_text("name"),
            default=entry.data.get("default") is True,
        )
    for table in (uv, uv.table("pip")):
        if url := table.optional_text("index-url"):
            yield Index(url=url, default=True)
        yield from (Index(url=url) for url in table.texts("extra-index-url"))


def _from_text(text: str, default: bool) -> Iterator[Index]:
    """Read `name=https://host/simple https://other/simple`, the syntax of uv's variables."""
    for word in text.split():
        named = _NAMED.match(word)
        url = word[named.end() :] if named else word
        yield Index(url=url, name=named[1] if named else None, default=default)
