"""The text of locks, put together from their parts, and what is selected from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wheelferry_bundler.model.locked import LockedSet
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.pyproject import Pyproject
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.read.uv_lock import read_uv_lock
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.select.selection import Selection, select
from wheelferry_schemas.target import Target

INDEX = "https://index.example/simple"
NOWHERE = Path("/nowhere")
"""A folder of locks that have no project beside them."""


def target(platform: str = "manylinux_2_28_x86_64", python: str = "3.12.4") -> Target:
    """Return a target."""
    return make_target(parse_platform(platform), parse_python(python))


def edge(name: str, **details: str | Sequence[str]) -> str:
    """Return an edge: `version`, `marker`, `extra` and the like besides the name."""
    return (
        "{ "
        + ", ".join(f"{k} = {json.dumps(v)}" for k, v in {"name": name, **details}.items())
        + " }"
    )


def package(
    name: str,
    version: str | None = "1.0",
    *,
    source: str = f'registry = "{INDEX}"',
    wheels: Sequence[str] = ("py3-none-any",),
    sdist: bool = False,
    needs: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    more: str = "",
) -> str:
    """Return a package of a uv.lock; `wheels` are tags, `needs` and the like edges."""
    lines = ["[[package]]", f'name = "{name}"']
    if version is not None:
        lines.append(f'version = "{version}"')
    lines += [f"source = {{ {source} }}", more, f"dependencies = [{', '.join(needs)}]"]
    if sdist:
        lines.append(f"sdist = {_file(f'{name}-{version}.tar.gz')}")
    if wheels:
        files = (_file(f"{name.replace('-', '_')}-{version}-{tag}.whl") for tag in wheels)
        lines.append(f"wheels = [{', '.join(files)}]")
    for table, lists in (("optional-dependencies", extras), ("dev-dependencies", groups)):
        if lists is not None:
            lines.append(f"[package.{table}]")
            lines += [f"{key} = [{', '.join(edges)}]" for key, edges in lists.items()]
    return "\n".join(lines) + "\n"


def project(name: str = "demo", *needs: str, folder: str = ".", **details: Any) -> str:
    """Return a project of a uv.lock, which lies in a folder of the workspace."""
    return package(name, source=f'editable = "{folder}"', wheels=(), needs=needs, **details)


def uv_lock(*packages: str, head: str = 'requires-python = ">=3.8"\n', revision: int = 5) -> bytes:
    """Return a uv.lock."""
    return f"version = 1\nrevision = {revision}\n{head}{''.join(packages)}".encode()


def read(lock: bytes, folder: Path = NOWHERE, **wanted: Any) -> LockedSet:
    """Read a uv.lock."""
    return read_uv_lock(lock, Wanted(**wanted), Pyproject.read(folder))


def selected(*packages: str, on: Target | None = None, **wanted: Any) -> Selection:
    """Select from a uv.lock of these packages."""
    return select(read(uv_lock(*packages), **wanted), on or target())


def names(selection: Selection) -> set[str]:
    """Return the names of what is selected, where nothing stands in the way."""
    assert not selection.problems, selection.problems
    return {chosen.package.name for chosen in selection.chosen}


def _file(name: str) -> str:
    return f'{{ url = "https://files.example/{name}", hash = "sha256:{"0" * 64}", size = 1 }}'
