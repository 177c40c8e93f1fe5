"""Progress: a bar for each phase where there is a terminal, else a line for it, and more now and then."""

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
"""Seconds between two lines where there is no terminal."""


class PhaseBar:
    """Shows one phase after the other on stderr; quiet where `shown` is False."""

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown
        self._phase: DrawnBar | _Lines | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.finish()

    def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
        """Begin a phase of `total` bytes, or of a number of what `noun` names; none is not shown.

        Where `total` is None, nobody knows how much it will be.
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
        """Go on by `amount`; `item` is what is worked on. Any thread may call this."""
        with self._lock:
            if self._phase is not None:
                self._phase.advance(item, amount)

    def finish(self) -> None:
        """End the phase that is shown, if any."""
        with self._lock:
            if self._phase is not None:
                self._phase.close()
                self._phase = None


class _Lines:
    """Tells that a phase begins, and now and then how far it is."""

    def __init__(self, phase: str, total: int | None, noun: str | None) -> None:
        self._name, self._total, self._noun = phase, total, noun
        self._done = 0
        self._started = self._told = time.monotonic()
        tell(phase)

    def advance(self, _item: str, amount: int) -> None:
        """Go on by `amount`."""
        self._done += amount
        now = time.monotonic()
        if now - self._told >= PAUSE:
            self._told = now
            rate = self._done / (now - self._started)
            tell(f"{self._name}: {progress_text(self._done, self._total, rate, self._noun)}")

    def close(self) -> None:
        """End; nothing is to be told of that."""
