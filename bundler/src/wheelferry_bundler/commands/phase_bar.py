"""Shows progress: a bar for each phase on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from wheelferry_bundler.commands.printing import tell
from wheelferry_schemas.display import progress_text

if TYPE_CHECKING:
    from typing_extensions import Self

    from wheelferry_bundler.commands.drawn_phase import DrawnBar

PAUSE = 30.0
"""Seconds between two lines without a terminal."""


class PhaseBar:
    """Shows one phase after another on stderr, or nothing if `shown` is False."""

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown
        self._phase: DrawnBar | _Lines | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.finish()

    def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
        """Begin a phase of `total` bytes, or of `total` items called `noun`.

        An empty phase is not shown; a `total` of None means that it is unknown.
        """
        self.finish()
        if not self._shown or total == 0:
            return
        if sys.stderr.isatty():
            from wheelferry_bundler.commands.drawn_phase import DrawnBar

            self._phase = DrawnBar(phase, total, noun)
        else:
            self._phase = _Lines(phase, total, noun)

    def advance(self, item: str, amount: int, /) -> None:
        """Advance by `amount`; `item` is the item in progress. Any thread may call this."""
        with self._lock:
            if self._phase is not None:
                self._phase.advance(item, amount)

    def finish(self) -> None:
        """End the current phase, if any."""
        with self._lock:
            if self._phase is not None:
                self._phase.close()
                self._phase = None


class _Lines:
    """Prints a line when a phase begins, and its progress now and then."""

    def __init__(self, phase: str, total: int | None, noun: str | None) -> None:
        self._name, self._total, self._noun = phase, total, noun
        self._done = 0
        self._started = self._told = time.monotonic()
        tell(phase)

    def advance(self, _item: str, amount: int) -> None:
        """Advance by `amount`."""
        self._done += amount
        now = time.monotonic()
        if now - self._told >= PAUSE:
            self._told = now
            rate = self._done / (now - self._started)
            tell(f"{self._name}: {progress_text(self._done, self._total, rate, self._noun)}")

    def close(self) -> None:
        """End the phase, which prints nothing."""
