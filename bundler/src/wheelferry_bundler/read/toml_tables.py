"""Reads foreign TOML with type checks, and errors that name the place."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# `tomllib` of the standard library is the same parser, not compiled: three times as slow.
import tomli

from wheelferry_schemas.errors import MalformedError, TransferError

MAX_FILE_SIZE = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Table:
    """A TOML table and its place for messages: `uv.lock: package[3]`."""

    data: Mapping[str, Any]
    where: str

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str) -> str:
        """Return a required string."""
        value = self.optional_text(key)
        if value is None:
            raise MalformedError(f"{self.where}: {key} is missing")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a string, or None where there is none."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, str):
            raise MalformedError(f"{self.where}: {key} is not a string")
        if value is not None and "\0" in value:
            raise MalformedError(f"{self.where}: {key} holds a NUL character")
        return value

    def optional_size(self, key: str) -> int | None:
        """Return a number of bytes, or None where there is none."""
        value = self.data.get(key)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and (not is_number or value < 0):
            raise MalformedError(f"{self.where}: {key} is not a size")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, empty where there is none."""
        values = self.list(key)
        if not all(isinstance(value, str) for value in values):
            raise MalformedError(f"{self.where}: {key} is not a list of strings")
        return tuple(values)

    def table(self, key: str) -> Table:
        """Return a table, empty where there is none."""
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            raise MalformedError(f"{self.where}: {key} is not a table")
        return Table(value, f"{self.where}: {key}")

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return a list of tables, empty where there is none."""
        values = self.list(key)
        if not all(isinstance(value, dict) for value in values):
            raise MalformedError(f"{self.where}: {key} is not a list of tables")
        return tuple(
            Table(value, f"{self.where}: {_named(key, i, value)}") for i, value in enumerate(values)
        )

    def list(self, key: str) -> Sequence[Any]:
        """Return a list of any values, empty where there is none."""
        values = self.data.get(key, [])
        if not isinstance(values, list):
            raise MalformedError(f"{self.where}: {key} is not a list")
        return values


def _named(key: str, index: int, value: Mapping[str, Any]) -> str:
    """Return an entry of a list for a message: by its name, else by its index."""
    name = value.get("name")
    return f"{key} {name}" if isinstance(name, str) else f"{key}[{index}]"


def read_toml(path: Path) -> Table:
    """Read a file; raises `TransferError` where that fails, `MalformedError` if it is not TOML."""
    return parse_toml(read_input(path), path.name)


def parse_toml(data: bytes, where: str) -> Table:
    """Parse TOML; raises `MalformedError`."""
    try:
        return Table(tomli.loads(data.decode()), where)
    except (ValueError, RecursionError) as error:
        raise MalformedError(
            f"{where} is not TOML: {error}", hint="restore the file, or lock the project again"
        ) from error


def read_input(path: Path) -> bytes:
    """Return the bytes of an input file; raises `TransferError`."""
    try:
        status = path.stat()
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise TransferError(f"{path} is a device", hint="name a file")
        if status.st_size > MAX_FILE_SIZE:
            raise MalformedError(
                f"{path.name} is larger than {MAX_FILE_SIZE} bytes",
                hint="no lock is so large: name the right file",
            )
        return path.read_bytes()
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {error.strerror}") from error
