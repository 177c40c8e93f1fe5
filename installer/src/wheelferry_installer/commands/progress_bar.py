"""Progress: a bar where there is a terminal to draw it on, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from wheelferry_schemas.display import progress_text

PAUSE = 30.0
"""Seconds between two lines where there is no terminal."""


class Advance(Protocol):
    """Called with what is done and how many bytes that was."""

    def __call__(self, item: str, size: int, /) -> None:
        """Go on by `size`."""


@contextmanager
def bar(label: str, total: int, *, shown: bool) -> Iterator[Advance]:
    """Draw a bar of `total` bytes on stderr for as long as the block runs."""
    if not shown or total == 0:
        yield lambda _item, _size: None
    elif sys.stderr.isatty():
        from wheelferry_installer.commands.drawn_bar import DrawnBar

        drawn = DrawnBar(label, total)
        try:
            yield drawn.advance
        finally:
            drawn.close()
    else:
        yield _Lines(label, total).advance


class _Lines:
    """Tells now and then how far something is."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total = label, total
        self._done = 0
        self._started = self._told = time.monotonic()

    def advance(self, _item: str, size: int) -> None:
        """Go on by `size`."""
        from wheelferry_installer.commands.printing import tell

        self._done += size
        now = time.monotonic()
        if now - self._told >= PAUSE:
            self._told = now
            rate = self._done / (now - self._started)
            tell(f"{self._label}: {progress_text(self._done, self._total, rate)}")
