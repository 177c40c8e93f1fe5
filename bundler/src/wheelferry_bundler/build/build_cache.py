"""Caches built wheels by the hash or commit of their source and the options of the build.

A project folder has neither, so its wheel is built each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from wheelferry_bundler.build.build_python import BuildPython
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import Fetched
from wheelferry_bundler.model.locked import LockedPackage

_VARIABLES = (
    *("ARCHFLAGS", "CC", "CFLAGS", "CMAKE_ARGS", "CPPFLAGS", "CXX", "CXXFLAGS", "LDFLAGS"),
    *("MACOSX_DEPLOYMENT_TARGET", "RUSTFLAGS", "SOURCE_DATE_EPOCH"),
)
"""The environment variables that commonly affect the result of a build."""


def build_key(
    package: LockedPackage,
    archive: Fetched | None,
    interpreter: BuildPython,
    config_settings: Sequence[str],
    constraints: Sequence[str],
) -> str | None:
    """Return the cache key of a build, None for a source that may change.

    `archive` is the package's source archive, if it has one.
    """
    source = package.source
    state = source.commit or (archive.sha256 if archive else None)
    if state is None or source.kind == "directory":
        return None
    parts = {
        "name": package.name,
        "source": state,
        "subdirectory": source.subdirectory,
        "python": interpreter.identity,
        "settings": list(config_settings),
        "requires": [*package.build_requires, *constraints],
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def recall(cache: Cache, key: str) -> tuple[str, Path, str] | None:
    """Return file name, path and sha256 of the cached wheel, None where there is none."""
    try:
        record = json.loads(_record(cache, key).read_bytes())
        file_name, sha256, size = record["file_name"], record["sha256"], record["size"]
        path = cache.get(sha256, size)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (file_name, path, sha256) if path else None


def remember(cache: Cache, key: str, wheel: Path, sha256: str) -> None:
    """Keep a copy of a built wheel under this key."""
    partial = cache.partial(f"built-{key}-{os.getpid()}")
    shutil.copyfile(wheel, partial)
    size = partial.stat().st_size
    cache.adopt(partial, sha256)
    record = _record(cache, key)
    record.parent.mkdir(parents=True, exist_ok=True)
    written = record.with_name(f"{record.name}.{os.getpid()}")
    text = json.dumps({"file_name": wheel.name, "sha256": sha256, "size": size})
    written.write_text(text, encoding="utf-8")
    os.replace(written, record)


def _record(cache: Cache, key: str) -> Path:
    return cache.folder / "built" / f"{key}.json"
