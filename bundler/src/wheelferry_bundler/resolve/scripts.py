"""Reads scripts that state their own dependencies (PEP 723).

uv locks a script for all platforms, as `uv run` does, or uses the lock beside it
(`script.py.lock`). Nothing is written.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from wheelferry_bundler.model.locked import LockedSet
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.inputs import script_block
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.read.pyproject import asked_by
from wheelferry_bundler.read.toml_tables import parse_toml
from wheelferry_bundler.resolve.uv_resolving import UvQuestion, export_script
from wheelferry_schemas.errors import UsageError
from wheelferry_schemas.target import Target


def read_script(path: Path, target: Target, wanted: Wanted, options: BuildOptions) -> LockedSet:
    """Read a script's dependencies; raises as `resolve`, and `UsageError` for flags of projects."""
    if wanted.extras or wanted.groups or wanted.only_groups or wanted.packages:
        raise UsageError(
            f"{path.name} has no extras, groups or packages to choose from",
            hint="a script states all of its dependencies in one list",
        )
    folder = path.resolve().parent
    has_lock = path.with_name(f"{path.name}.lock").is_file()
    question = UvQuestion(
        about=path.name,
        folder=folder,
        arguments=["--script", path.name, *(("--locked",) if has_lock else ())],
        options=options,
    )
    data = export_script(question, target)
    locked = read_pylock(data, folder, wanted, name=_name(path), kind="script", closed=True)
    return dataclasses.replace(locked, asked=asked_by(_dependencies(path)))


def _dependencies(path: Path) -> tuple[str, ...]:
    """Return the dependencies that a script's metadata block lists (PEP 723)."""
    text, _ = script_block(path)
    return parse_toml(text.encode(), path.name).texts("dependencies")


def _name(path: Path) -> str:
    try:
        return canonicalize_name(path.stem, validate=True)
    except InvalidName:
        return "script"
