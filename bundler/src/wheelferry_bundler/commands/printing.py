"""The only way to print: escapes control characters, and breaks lines between words."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

import click

from wheelferry_schemas.display import printable, wrapped


def say(*lines: str) -> None:
    """Print lines of the result to standard output."""
    for line in lines:
        _print(line, sys.stdout)


def say_command(label: str, command: str) -> None:
    """Print a command to standard output on one line, so that it can be copied."""
    _print(f"{label}: {command}", sys.stdout, whole=True)


def say_json(data: object) -> None:
    """Print data to standard output as JSON."""
    # JSON does not escape DEL, which steers a terminal.
    text = json.dumps(data, indent=2).replace("\x7f", "\\u007f")
    click.echo(text)


def tell(*lines: str) -> None:
    """Print further information to standard error."""
    for line in lines:
        _print(line, sys.stderr)


def tell_command(label: str, command: str) -> None:
    """Print a command to standard error on one line, so that it can be copied."""
    _print(f"{label}: {command}", sys.stderr, whole=True)


def warn(line: str) -> None:
    """Print a warning to standard error."""
    tell(f"warning: {line}")


def ask_secret(question: str) -> str:
    """Prompt for a secret without echo; raises `click.Abort` if the input ends."""
    text: str = click.prompt(printable(question), hide_input=True, err=True)
    return text


def ask(question: str, default: str) -> str:
    """Return what the person at the terminal answers; raises `click.Abort` without one."""
    text: str = click.prompt(printable(question), default=printable(default), err=True)
    return text


def confirmed(question: str) -> bool:
    """Return whether the person at the terminal agrees; raises `click.Abort` without a terminal."""
    return click.confirm(printable(question), default=True, err=True)


def _print(line: str, stream: TextIO, *, whole: bool = False) -> None:
    width = None if whole else _width(stream)
    text, encoding = printable(line), stream.encoding or "utf-8"
    for part in [text] if width is None else wrapped(text, width):
        known = part.encode(encoding, "backslashreplace").decode(encoding)
        click.echo(known, file=stream)


def _width(stream: TextIO) -> int | None:
    """Return the number of columns of a terminal, None without one."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None
