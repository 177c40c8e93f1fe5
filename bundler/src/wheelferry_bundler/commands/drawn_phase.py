"""Draws a progress bar on one line of a terminal; imported late, since tqdm is slow to load."""

from __future__ import annotations

import sys
import threading
from typing import Any

from tqdm.std import tqdm

from wheelferry_schemas.display import NARROW, bar_parts

# No monitor thread, since processes are forked meanwhile, and no lock shared with them.
tqdm.monitor_interval = 0
tqdm.set_lock(threading.RLock())


class DrawnBar(tqdm):  # type: ignore[misc] # it has no types
    """A bar of `total` bytes, or of a number of what `noun` names, on standard error."""

    def __init__(self, label: str, total: int | None, noun: str | None = None) -> None:
        self._noun = noun
        self._name = ""
        super().__init__(
            desc=label, total=total, file=sys.stderr, dynamic_ncols=True, miniters=1, smoothing=0.1
        )

    def advance(self, name: str, amount: int) -> None:
        """Advance by `amount`; `name` is the item in progress."""
        self._name = name.rpartition("/")[2] or self._name
        self.update(amount)

    @property
    def format_dict(self) -> dict[str, Any]:
        """The parts of a line, for the current width of the terminal."""
        facts: dict[str, Any] = super().format_dict
        total = facts["total"]
        # Slightly more may be written than was announced.
        done = facts["n"] = min(facts["n"], total or facts["n"])
        rate = facts["rate"] or (done / facts["elapsed"] if facts["elapsed"] else 0)
        # tqdm rounds sizes differently from the rest of the output.
        width = facts["ncols"] or NARROW
        parts = bar_parts(facts["prefix"], done, total, rate, self._noun, self._name, width)
        return {**facts, **parts}
