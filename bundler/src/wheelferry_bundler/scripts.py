"""Reads scripts that state their own dependencies (PEP 723).

uv makes the lock of a script as `uv run` does, for all platforms, or takes the one beside it
(`script.py.lock`). Nothing is written there.
"""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from wheelferry_bundler.build_options import BuildOptions
from wheelferry_bundler.locked import LockedSet, Wanted
from wheelferry_bundler.pylock import read_pylock
from wheelferry_bundler.resolving import Question, export_script
from wheelferry_bundler.toml_tables import read_input
from wheelferry_schemas.errors import UsageError
from wheelferry_schemas.target import Target

_BLOCK = re.compile(rb"(?m)^# /// script[ \t]*\r?$")


def read_script(path: Path, target: Target, wanted: Wanted, options: BuildOptions) -> LockedSet:
    """Read what a script depends on; raises `UsageError` where it does not say so, and as `resolve`."""
    if not is_script(path):
        raise UsageError(
            f"{path.name} does not state its dependencies",
            hint="add them as a comment (PEP 723): uv add --script " + path.name + " NAME",
        )
    if wanted.extras or wanted.groups or wanted.only_groups or wanted.packages:
        raise UsageError(
            f"{path.name} has no extras, groups or packages to choose from",
            hint="a script states all of its dependencies in one list",
        )
    folder = path.resolve().parent
    locked = path.with_name(f"{path.name}.lock").is_file()
    question = Question(
        about=path.name,
        folder=folder,
        arguments=["--script", path.name, *(("--locked",) if locked else ())],
        options=options,
    )
    data = export_script(question, target)
    return read_pylock(data, folder, wanted, name=_name(path), kind="script")


def is_script(path: Path) -> bool:
    """Tell whether a file states its dependencies."""
    return bool(_BLOCK.search(read_input(path)))


def _name(path: Path) -> str:
    try:
        return canonicalize_name(path.stem, validate=True)
    except InvalidName:
        return "script"
