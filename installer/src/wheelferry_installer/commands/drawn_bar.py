"""A bar on a terminal, one line at any width; imported only to draw one: tqdm loads slowly."""

from __future__ import annotations

import sys
import threading
from typing import Any

from tqdm.std import tqdm

from wheelferry_schemas.display import NARROW, bar_parts

# No thread of its own, since processes are forked meanwhile, and no lock that they would share.
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
        """Go on by `amount`; `name` is what is worked on."""
        self._name = name.rpartition("/")[2] or self._name
        self.update(amount)

    @property
    def format_dict(self) -> dict[str, Any]:
        """What a line is made of, for the width that the terminal has now."""
        facts: dict[str, Any] = super().format_dict
        total = facts["total"]
        # Slightly more may be written than was announced.
        done = facts["n"] = min(facts["n"], total or facts["n"])
        rate = facts["rate"] or (done / facts["elapsed"] if facts["elapsed"] else 0)
        # tqdm rounds sizes differently from the rest of the output.
        width = facts["ncols"] or NARROW
        parts = bar_parts(facts["prefix"], done, total, rate, self._noun, self._name, width)
        return {**facts, **parts}
