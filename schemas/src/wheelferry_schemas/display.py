"""Prepares foreign text and numbers for a terminal."""

from __future__ import annotations

import re
import unicodedata

_LINE_CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}
_PIECE = re.compile(
    r"(?:(?<=: )(?:bundle|python3|pip|uv) [^;]+;?|'(?:bundle|python3) [^']+'\S*|\S+) *"
)
"""What stays on one line: a word; a command in quotes or after a colon, to be copied."""
NARROW = 60
"""Columns of a terminal that has no room for a bar, or does not say how many it has."""
_WIDE = 88
"""The number of columns from which a name fits beside a bar."""
_NAME_WIDTH = 40


def printable(text: str) -> str:
    """Return `text` with every character that could control a terminal escaped.

    Line breaks are escaped too: what is printed as one line stays one line.
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
    """Return a line broken between words into lines of at most `width` columns.

    Lines after the first are indented by two more. A word or command that is longer stays whole.
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
    """Return a number of bytes in units of powers of 1,000: `12.3 MB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def shortened(text: str, width: int) -> str:
    """Return as much of the beginning of a text as fits into `width` columns."""
    while cells(text) > width:
        text = text[:-1]
    return text


def progress_text(
    done: int, total: int | None, rate: float, noun: str | None = None, *, brief: bool = False
) -> str:
    """Return how much of `total` bytes is done: `12.3 MB of 18.6 MB, 5.1 MB/s, 0:02 left`.

    With a `noun`, things are counted instead of bytes; `brief` is for narrow terminals:
    `12.3 MB 5.1 MB/s 0:02`.
    """
    said = human_size(done) if noun is None else str(done)
    if total is not None and not brief:
        said += f" of {human_size(total) if noun is None else count(total, noun)}"
    parts = [said]
    if rate > 0 and noun is None:
        parts.append(f"{human_size(int(rate))}/s")
    if rate > 0 and total is not None and done < total:
        minutes, seconds = divmod(max(0, round((total - done) / rate)), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        parts.append(left if brief else f"{left} left")
    return (" " if brief else ", ").join(parts)


def bar_parts(
    label: str, done: int, total: int | None, rate: float, noun: str | None, name: str, width: int
) -> dict[str, str]:
    """Return what a bar of at most `width` columns is made of, and as `bar_format` how.

    `label` is drawn first, and `name`, the item in progress, last where there is room for it.
    """
    percent = f" {done * 100 // total}%" if total else ""
    text = progress_text(done, total, rate, noun, brief=width < NARROW)
    if not total or width < NARROW:
        line = shortened(f"{label}{percent} {text}", width)
        return {"bar_format": "{line}", "line": line}
    room = min(_NAME_WIDTH, width - _WIDE)
    named = f"  {shortened(printable(name), room)}" if name and room > 0 else ""
    form = "{desc}{percent} {bar} {text}{name}"
    return {"bar_format": form, "percent": percent, "text": text, "name": named}


def count(number: int, noun: str) -> str:
    """Return `1 wheel` or `3 wheels`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
