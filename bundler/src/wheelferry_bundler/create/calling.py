"""What functions of the API share: values that are loaded late, progress that is not shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


class Silent:
    """Progress that is not shown."""

    def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
        """Do nothing."""

    def advance(self, item: str, amount: int, /) -> None:
        """Do nothing."""


def loaded_when_asked(module: str, values: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module; what `MODULE:NAME` names is imported on first access."""

    def find(name: str) -> Any:
        if name not in values:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, own_name = values[name].partition(":")
        return getattr(importlib.import_module(home), own_name)

    return find
