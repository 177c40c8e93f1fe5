"""Reads the uv.lock of a project on the air-gapped host, and checks its structure.

The lock is not signed. It only selects wheels of the bundle, and the bundle's signers vouch for
each of those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from wheelferry_installer.unpack.toml_text import parse_toml, table, tables, texts
from wheelferry_schemas.errors import MalformedError

LOCAL = ("editable", "directory", "virtual")
"""The kinds of source that are folders of the project, or beside it."""
Key = tuple[str, str | None, str | None]
"""What tells packages of a lock apart: name, version, source."""
_VERSION = 1
_EDGE = (("name",), ("marker", ""), ("version", ""))
"""What has to be text in an edge."""


def read_uv_lock(data: bytes) -> dict[str, Any]:
    """Return the tables of a uv.lock; raises `MalformedError` if it is not one."""
    lock = parse_toml(data, "uv.lock")
    version = lock.get("version")
    if type(version) is not int or "distribution" in lock:
        raise MalformedError(
            "uv.lock does not state its version: it is not one of uv's locks",
            hint="lock the project again, on a host with internet: uv lock",
        )
    if version != _VERSION:
        raise MalformedError(
            f"uv.lock has version {version}, this wheelferry reads version {_VERSION}",
            hint="upgrade wheelferry, or lock with a uv that writes version 1",
        )
    for package in tables(lock, "package"):
        if not isinstance(package.get("name"), str) or not isinstance(package.get("source"), dict):
            raise _malformed("a package has no name or no source")
        if not isinstance(package.get("version", ""), str):
            raise _malformed(f"the version of {package['name']} is not text")
        for wheel in tables(package, "wheels"):
            if not isinstance(wheel.get("hash", ""), str):
                raise _malformed(f"a hash of {package['name']} is not text")
        for edge in edges(package):
            if any(not isinstance(edge.get(*at), str) for at in _EDGE):
                raise _malformed(f"a dependency of {package['name']} has no name")
            texts(edge, "extra")
    return lock


def key(entry: dict[str, Any]) -> Key:
    """Return the key of a package, or of an edge to it."""
    source = entry.get("source")
    spelled = None if source is None else json.dumps(source, sort_keys=True, default=str)
    return canonicalize_name(entry["name"]), entry.get("version"), spelled


def edges(package: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all edges of a package, also those of its extras and groups."""
    yield from tables(package, "dependencies")
    for kind in ("optional-dependencies", "dev-dependencies", "dependency-groups"):
        lists = table(package, kind)
        for name in lists:
            yield from tables(lists, name)


def members(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the packages of the project, or of the members of its workspace."""
    names = set(map(canonicalize_name, texts(table(lock, "manifest"), "members")))
    found = []
    for package in tables(lock, "package"):
        folder = local_folder(package)
        mine = canonicalize_name(package["name"]) in names if names else folder == "."
        if folder is not None and mine:
            found.append(package)
    return found


def local_folder(package: dict[str, Any]) -> str | None:
    """Return the folder that is the source of a package, None if the source is no folder."""
    source = package["source"]
    return next((str(source[kind]) for kind in LOCAL if kind in source), None)


def _malformed(why: str) -> MalformedError:
    return MalformedError(
        f"uv.lock is not what uv writes: {why}",
        hint="lock the project again, on a host with internet: uv lock",
    )
