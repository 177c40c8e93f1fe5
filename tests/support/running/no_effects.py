"""A block in which Python refuses to open files, to run programs and to reach the network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_REFUSED = ("open", "os.", "subprocess.", "socket.")
_state = {"installed": False, "refusing": False}


class EffectError(AssertionError):
    """Something that is to be pure has an effect, or reads what was not passed to it."""


def _refuse(event: str, arguments: object) -> None:
    if _state["refusing"] and event.startswith(_REFUSED):
        raise EffectError(f"{event} {arguments}")


@contextmanager
def no_effects() -> Iterator[None]:
    """Raise `EffectError` where the block does anything but compute."""
    if not _state["installed"]:
        # An audit hook cannot be removed again: outside of these blocks it does nothing.
        sys.addaudithook(_refuse)
        _state["installed"] = True
    _state["refusing"] = True
    try:
        yield
    finally:
        _state["refusing"] = False
