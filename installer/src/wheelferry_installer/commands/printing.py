"""The one way to print: no foreign text steers the terminal, and lines break between words.

Messages name the command `bundle`. Who started it under another name, such as `python3 bundle.pyz`,
reads that one.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TextIO

import click

from wheelferry_schemas.display import printable, wrapped
from wheelferry_schemas.errors import WheelferryError

PROGRAM = "bundle"
_COLOURS = {"error": "red", "hint": "cyan"}
_COMMAND = re.compile(
    r"\bbundle (?=(?:diff|install|prune|rollback|show|status|target|trust|uninstall|unpack|verify)\b)"
)
"""The commands of this side; those of the online side are run elsewhere, under their own name."""


def say(*lines: str) -> None:
    """Print lines to standard output: what was asked for."""
    for line in lines:
        _print(line, sys.stdout)


def say_command(label: str, command: str) -> None:
    """Print a command to standard output, unbroken, so that it can be copied."""
    _print(f"{label}: {command}", sys.stdout, whole=True)


def say_json(data: object, *, sort_keys: bool = False) -> None:
    """Print data to standard output as JSON."""
    # JSON leaves DEL alone, a terminal does not.
    text = json.dumps(data, indent=2, sort_keys=sort_keys).replace("\x7f", "\\u007f")
    click.echo(text)


def say_bytes(data: bytes) -> None:
    """Write a document to standard output byte by byte, except to a terminal."""
    if sys.stdout.isatty():
        say(*data.decode(errors="replace").removesuffix("\n").split("\n"))
    else:
        click.echo(data, nl=False)


def tell(*lines: str) -> None:
    """Print lines to standard error: what a person may want to know besides."""
    for line in lines:
        _print(line, sys.stderr)


def warn(line: str) -> None:
    """Print a warning to standard error."""
    tell(f"warning: {line}")


def confirmed(question: str) -> bool:
    """Return whether the person at the terminal agrees; raises `click.Abort` without a terminal."""
    return click.confirm(printable(question), err=True)


def report(error: WheelferryError, program: str = PROGRAM) -> None:
    """Print an error: what failed, each single problem, and what to do."""
    message, details = error.message, error.details
    if len(details) == 1:
        message, details = f"{message}: {details[0]}", ()
    _print(message, sys.stderr, label="error", program=program)
    for line in details:
        _print(f"  {line}", sys.stderr, program=program)
    if error.hint:
        _print(error.hint, sys.stderr, label="hint", program=program)


def _print(
    line: str, stream: TextIO, *, label: str = "", program: str | None = None, whole: bool = False
) -> None:
    text = printable(_COMMAND.sub(f"{program or _program()} ", line))
    prefix = f"{label}: " if label else ""
    width = None if whole else _width(stream)
    for number, part in enumerate([text] if width is None else wrapped(prefix + text, width)):
        shown = f"{prefix}{part}" if width is None else part
        if label and number == 0 and _coloured(stream):
            shown = click.style(f"{label}:", fg=_COLOURS[label]) + shown[len(label) + 1 :]
        encoding = stream.encoding or "utf-8"
        known = shown.encode(encoding, "backslashreplace").decode(encoding)
        click.echo(known, file=stream)


def _program() -> str:
    """Return how this command was started, as its help shows it."""
    context = click.get_current_context(silent=True)
    return (context.find_root().info_name if context else None) or PROGRAM


def _width(stream: TextIO) -> int | None:
    """Return how many columns a terminal has, None where there is none."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
