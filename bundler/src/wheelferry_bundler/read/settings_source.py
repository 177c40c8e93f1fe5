"""Finds the settings of a source: a table of its pyproject.toml, or a wheelferry.toml beside it.

The root of a uv workspace decides for its members, and the block of a script (PEP 723) for it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wheelferry_bundler.read.inputs import Source, script_block
from wheelferry_bundler.read.toml_tables import Table, parse_toml, read_input, read_toml
from wheelferry_schemas.errors import MalformedError, UsageError

PYPROJECT, OWN_FILE = "pyproject.toml", "wheelferry.toml"
TABLE = ("tool", "wheelferry")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsTable:
    """A table of settings, not yet checked, and where it stands.

    `keys` lead to it in the TOML `text`, whose first line is line `first_line` of `path`. `notes`
    name the tables that do not count beside it.
    """

    path: Path
    table: Any
    keys: tuple[str, ...]
    text: str
    first_line: int = 1
    notes: tuple[str, ...] = ()


def find_settings(source: Source) -> SettingsTable | None:
    """Return the settings that hold for a source, None where there are none.

    Raises `UsageError` where a folder has two tables, `MalformedError` for a pyproject.toml that is
    not TOML, `TransferError` where a file cannot be read.
    """
    if source.kind == "script":
        return _in_script(source.path)
    folder, real = source.path.parent, source.path.resolve().parent
    if folder.resolve() != real:
        folder = real
    own = settings_in(folder)
    root = None if source.kind == "uv.lock" else _workspace_of(real)
    above = None if root is None else settings_in(root)
    if above is not None:
        passed = () if own is None else (_passed_over(own.path, above.path),)
        return replace(above, notes=passed)
    if own is None:
        return None
    others = (table.path for member in _members_of(real) if (table := settings_in(member)))
    return replace(own, notes=tuple(_passed_over(path, own.path) for path in others))


def settings_in(folder: Path) -> SettingsTable | None:
    """Return the settings that stand in a folder; raises as `find_settings`."""
    project, own = folder / PYPROJECT, folder / OWN_FILE
    found = _in_pyproject(project) if os.path.lexists(project) else None
    if not os.path.lexists(own):
        return found
    if found is not None:
        raise UsageError(
            f"two files state settings: {project} ([tool.wheelferry]) and {own}",
            hint=f"keep one of them: move what {OWN_FILE} says into the table, or the other way",
        )
    data = read_input(own)
    try:
        table = parse_toml(data, OWN_FILE)
    except MalformedError as error:
        raise UsageError(error.message, hint="mend the file, or pass --no-settings") from error
    return SettingsTable(path=own, table=table.data, keys=(), text=data.decode())


def _in_pyproject(path: Path) -> SettingsTable | None:
    data = read_input(path)
    table = _own_table(parse_toml(data, path.name))
    if table is None:
        return None
    return SettingsTable(path=path, table=table, keys=TABLE, text=data.decode())


def _in_script(path: Path) -> SettingsTable | None:
    text, first_line = script_block(path)
    table = _own_table(parse_toml(text.encode(), path.name))
    if table is None:
        return None
    return SettingsTable(path=path, table=table, keys=TABLE, text=text, first_line=first_line)


def _own_table(table: Table) -> object | None:
    tool = table.data.get("tool")
    return tool.get("wheelferry") if isinstance(tool, Mapping) else None


def _workspace_of(folder: Path) -> Path | None:
    """Return the root of the workspace that a folder is a member of."""
    for root in folder.parents:
        if folder in _members_of(root):
            return root
    return None


def _members_of(root: Path) -> Iterator[Path]:
    """Yield the folders of the members of a workspace, without its root; none where it is none."""
    path = root / PYPROJECT
    if not path.is_file():
        return
    workspace = read_toml(path).table("tool").table("uv").table("workspace")
    excluded = {member for text in workspace.texts("exclude") for member in _matching(root, text)}
    for text in workspace.texts("members"):
        for member in _matching(root, text):
            if member not in excluded and member != root and (member / PYPROJECT).is_file():
                yield member


def _matching(root: Path, pattern: str) -> list[Path]:
    # What is no pattern, uv reports.
    with contextlib.suppress(ValueError, NotImplementedError, OSError):
        return sorted(path.resolve() for path in root.glob(pattern) if path.is_dir())
    return []


def _passed_over(path: Path, held: Path) -> str:
    return f"the settings in {held} hold for the whole workspace; those in {path} do not count"
