"""Progress on the terminal: a bar where there is one to draw on, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from wheelferry_schemas.display import printable

_NAME_WIDTH = 40


class Advance(Protocol):
    """Called with what is done and how many bytes that was."""

    def __call__(self, item: str, size: int, /) -> None:
        """Go on by `size`."""


@contextmanager
def bar(label: str, total: int, *, shown: bool) -> Iterator[Advance]:
    """Draw a bar of `total` bytes on stderr for as long as the block runs."""
    if not shown or not sys.stderr.isatty():
        yield lambda _item, _size: None
        return

    def shortened(item: object) -> str | None:
        return printable(str(item))[:_NAME_WIDTH] if item else None

    with click.progressbar(
        length=total, label=label, file=sys.stderr, item_show_func=shortened
    ) as drawn:
        yield lambda item, size: drawn.update(size, item)
