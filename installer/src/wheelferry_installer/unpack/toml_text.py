"""Reads TOML: uv.lock and pyproject.toml of a project on the air-gapped host."""

from __future__ import annotations

import sys
from typing import Any

from wheelferry_schemas.errors import MalformedError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """Return the tables of a TOML file; raises `MalformedError` that names it."""
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedError(
            f"{name} is not TOML: {error}", hint="is this the file that you meant?"
        ) from error


def table(parent: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a table in a table, empty if there is none."""
    found = parent.get(name, {})
    if not isinstance(found, dict):
        raise _unreadable(f"{name} is not a table")
    return found


def tables(parent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of tables in a table, empty if there is none."""
    found = parent.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise _unreadable(f"{name} is not a list of tables")
    return found


def texts(parent: dict[str, Any], name: str) -> list[str]:
    """Return a list of texts in a table, empty if there is none."""
    found = parent.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise _unreadable(f"{name} is not a list of texts")
    return found


def _unreadable(why: str) -> MalformedError:
    return MalformedError(
        f"uv.lock or pyproject.toml is not what uv reads: {why}",
        hint="lock the project again, on a host with internet: uv lock",
    )
