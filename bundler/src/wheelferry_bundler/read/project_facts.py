"""What the first settings of a project depend on: its Python and its groups."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from wheelferry_bundler.read.inputs import Source
from wheelferry_bundler.read.pyproject import GroupSettings
from wheelferry_bundler.read.toml_tables import Table, read_input, read_toml

_MINORS = range(10, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """The Python that a project is developed with, its dependency groups, and those by default."""

    python: str
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()


def read_facts(source: Source) -> ProjectFacts:
    """Return the facts that the folder of a source states; raises as `read_toml`."""
    folder = source.path.parent
    path = folder / "pyproject.toml"
    table = read_toml(path) if path.is_file() else Table({}, path.name)
    groups = tuple(sorted(map(canonicalize_name, table.table("dependency-groups").data)))
    defaults = GroupSettings.of(table).default_groups
    return ProjectFacts(
        python=_python(folder, table.table("project").optional_text("requires-python")),
        groups=groups,
        default_groups=tuple(g for g in groups if defaults is None or g in defaults),
    )


def _python(folder: Path, requires: str | None) -> str:
    """Return the version that is pinned for uv, else a minor version that the project allows."""
    pinned = folder / ".python-version"
    if pinned.is_file():
        match = re.match(rb"\s*(3\.\d+)", read_input(pinned))
        if match:
            return match[1].decode()
    here = f"3.{sys.version_info.minor}"
    try:
        allowed = SpecifierSet(requires or "")
    except InvalidSpecifier:
        return here
    minors = (here, *(f"3.{minor}" for minor in _MINORS))
    return next((m for m in minors if allowed.contains(f"{m}.99")), here)
