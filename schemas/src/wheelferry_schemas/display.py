"""Foreign text and numbers, made fit for a terminal."""

from __future__ import annotations

import unicodedata

_LINE_CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}


def printable(text: str) -> str:
    """Return `text` with every character that could steer a terminal written as an escape.

    Line breaks count: what is printed as one line stays one line.
    """
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in _LINE_CONTROLS
        else char
        for char in text
    )


def human_size(size: int) -> str:
    """Return a number of bytes as a person reads it, in powers of 1,000: `12.3 MB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def count(number: int, noun: str) -> str:
    """Return `1 wheel` or `3 wheels`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
