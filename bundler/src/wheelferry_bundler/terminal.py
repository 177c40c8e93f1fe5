"""Progress on the terminal: a bar where there is one to draw on, else a line for each phase."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wheelferry_schemas.display import printable

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_NAME_WIDTH = 40


class PhaseBar:
    """Shows one phase after the other on stderr; quiet where `shown` is False."""

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown
        self._bar: ProgressBar[int] | None = None

    def step(self, phase: str, total: int) -> None:
        """Begin a phase of `total` units; a phase of none is not shown."""
        self.finish()
        if not self._shown or total == 0:
            return
        if not sys.stderr.isatty():
            click.echo(phase, err=True)
            return
        self._bar = click.progressbar(
            length=total, label=phase.ljust(10), file=sys.stderr, item_show_func=_shortened
        )
        self._bar.render_progress()

    def advance(self, item: str, units: int) -> None:
        """Go on by `units`; `item` is what has just been worked on."""
        if self._bar is not None:
            self._bar.update(units, item or None)  # type: ignore[arg-type]

    def finish(self) -> None:
        """End the phase that is shown, if any."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None


def _shortened(item: object) -> str | None:
    return printable(str(item))[:_NAME_WIDTH] if item else None
