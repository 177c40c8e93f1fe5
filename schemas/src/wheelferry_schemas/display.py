"""Foreign text and numbers, made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata

_LINE_CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}
_PIECE = re.compile(
    r"(?:(?<=: )(?:bundle|python3|pip|uv) [^;]+;?|'(?:bundle|python3) [^']+'\S*|\S+) *"
)
"""What is not broken: a word; a command in quotes or after a colon, so that it can be copied."""


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


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def wrapped(text: str, width: int) -> list[str]:
    """Return a line as lines of at most `width` columns, broken between words.

    What follows the first is indented by two more. A word or command that is longer stays whole.
    """
    indent = text[: len(text) - len(text.lstrip(" "))]
    lines, used = [indent], len(indent)
    for match in _PIECE.finditer(text):
        piece = match.group()
        if lines[-1].strip() and used + cells(piece.rstrip(" ")) > width:
            lines.append(f"{indent}  ")
            used = len(lines[-1])
        lines[-1] += piece
        used += cells(piece)
    return [line.rstrip(" ") for line in lines]


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
