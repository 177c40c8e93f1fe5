"""Adds settings to a project that has none: a table at the end of its pyproject.toml, or a file.

What is there stays as it is, byte by byte: the table is appended.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from wheelferry_bundler.read.inputs import Source
from wheelferry_bundler.read.settings import Settings, check_settings
from wheelferry_bundler.read.settings_keys import Value
from wheelferry_bundler.read.settings_source import (
    OWN_FILE,
    PYPROJECT,
    TABLE,
    SettingsTable,
    find_settings,
)
from wheelferry_bundler.read.toml_tables import parse_toml, read_input
from wheelferry_schemas.errors import ConflictError, MalformedError, TransferError, UsageError

_PATHS = ("find-links", "output", "key", "python-archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDraft:
    """Settings that are not written yet: `text` is what `add` appends to the file at `path`."""

    path: Path
    text: str
    settings: Settings

    def add(self) -> None:
        """Append the text; raises `TransferError`, and the file is then as it was."""
        there = self.path.exists()
        try:
            with self.path.open("ab") as file:
                before = file.tell()
                try:
                    file.write(self.text.encode())
                    file.flush()
                except OSError:
                    file.truncate(before)
                    raise
        except OSError as error:
            if not there:
                self.path.unlink(missing_ok=True)
            raise TransferError(
                f"{self.path} could not be written: {error.strerror or error}",
                hint="it is as it was; look whether you may write it, and for free space",
            ) from error


def draft_settings(source: Source, options: Mapping[str, Value]) -> SettingsDraft:
    """Return a table with these options for the project of a source.

    Relative paths start at the current folder. Raises `ConflictError` where there are settings,
    `UsageError` for options that are wrong, and for a script, whose settings stand in its block.
    """
    known = find_settings(source)
    if known is not None:
        raise ConflictError(
            f"{known.path} states settings already", hint="edit them there; see: bundle settings"
        )
    folder = source.path.parent
    path = folder / PYPROJECT
    if source.kind == "script":
        raise UsageError(
            f"{source.path.name} is a script: its settings stand in the block of its dependencies",
            hint="write them there as comments: # [tool.wheelferry]",
        )
    if not path.is_file():
        path = folder / OWN_FILE
    stated = {option: _relative(option, value, folder) for option, value in options.items()}
    table = {o: list(v) if isinstance(v, tuple) else v for o, v in stated.items()}
    keys = TABLE if path.name == PYPROJECT else ()
    own = _rendered(table, keys)
    text = own if path.name == OWN_FILE else _appended(read_input(path), own)
    # Mistakes are those of the options: they stand in no file yet.
    settings = check_settings(SettingsTable(path=path, table=table, keys=keys, text=own))
    return SettingsDraft(path=path, text=text, settings=settings)


def _rendered(values: Mapping[str, bool | str | list[str]], keys: tuple[str, ...]) -> str:
    table = tomlkit.table() if keys else tomlkit.document()
    for option, value in values.items():
        several = isinstance(value, list) and len(value) != 1
        table.add(option, value[0] if isinstance(value, list) and not several else value)
    return tomlkit.dumps({keys[0]: {keys[1]: table}} if keys else table)


def _appended(data: bytes, own: str) -> str:
    """Return the text to append to a file; raises `MalformedError` where it would not take it."""
    newline = "\r\n" if b"\r\n" in data else "\n"
    gap = "\n" if data.endswith(b"\n") or not data else "\n\n"
    text = (gap + own).replace("\n", newline)
    try:
        parse_toml(data + text.encode(), PYPROJECT)
    except MalformedError as error:
        raise UsageError(
            f"{PYPROJECT} takes no further table: {error.message}",
            hint=f"write the settings into a {OWN_FILE} beside it",
        ) from error
    return text


def _relative(option: str, value: Value, folder: Path) -> Value:
    """Return a path as the file in `folder` has to state it."""
    if option not in _PATHS or folder.resolve() == Path.cwd().resolve():
        return value
    if isinstance(value, tuple):
        return tuple(str(_relative(option, text, folder)) for text in value)
    head, equals, path = str(value).rpartition("=" if option == "python-archive" else "\0")
    if option == "key":
        return os.path.abspath(path)
    return str(value) if os.path.isabs(path) else head + equals + os.path.relpath(path, folder)
