"""Lists what the two API modules offer, with signatures: `python tests/contract/public_api.py`.

The list is kept in `public_api.txt`, so that no name and no signature changes unnoticed.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import GenericAlias, ModuleType

import wheelferry_bundler.api
import wheelferry_installer.api

FILE = Path(__file__).with_name("public_api.txt")
MODULES = (wheelferry_bundler.api, wheelferry_installer.api)


def listing() -> str:
    """Return the list as it has to be for the code as it is."""
    return "".join(f"{line}\n" for module in MODULES for line in _of_module(module))


def _of_module(module: ModuleType) -> Iterator[str]:
    yield module.__name__
    for name in sorted(module.__all__):
        yield f"  {_described(name, getattr(module, name))}"


def _described(name: str, value: object) -> str:
    if isinstance(value, GenericAlias):  # on Python 3.10 it says of itself that it is a type
        return f"{name}: constant or type"
    if isinstance(value, type) and issubclass(value, BaseException):
        return f"{name}: error, exit code {value.__dict__.get('exit_code', 'of its family')}"
    if isinstance(value, type) and dataclasses.is_dataclass(value):
        fields = ", ".join(f"{one.name}: {one.type}" for one in dataclasses.fields(value))
        return f"{name}: value of {fields}"
    if isinstance(value, type):
        fields = ", ".join(getattr(value, "__struct_fields__", ()))
        return f"{name}: value of {fields}" if fields else f"{name}: class"
    if inspect.isfunction(value):
        return f"{name}{inspect.signature(value)}"
    return f"{name}: constant or type"


if __name__ == "__main__":
    FILE.write_text(listing(), encoding="utf-8")
    sys.exit(0)
