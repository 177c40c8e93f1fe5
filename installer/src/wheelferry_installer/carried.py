"""The command line of a file that installs itself: `python3 bundle.pyz`.

The first stage of such a file calls `main` after it has unpacked this package and what it needs.
"""

from __future__ import annotations

import os
import shlex
import sys
import zipfile
from collections.abc import Sequence

import click

from wheelferry_installer import cli
from wheelferry_schemas.bundle.self_contained import BUNDLE
from wheelferry_schemas.errors import WheelferryError

_OF_THE_GROUP = ("-h", "--help", "--version")
_VERBOSE = ("-v", "--verbose")


def main(path: str) -> None:
    """Run the command line of the file at `path`, whose own bundle is the default."""
    with zipfile.ZipFile(path) as archive:
        holds_bundle = BUNDLE in archive.namelist()
    if holds_bundle:
        sys.argv[1:] = completed(sys.argv[1:], path)
    cli.main(_program())


def _program() -> str:
    """Return how the file is started, as hints name it; a shell completes the name of a file."""
    if cli.COMPLETE in os.environ:
        return os.path.basename(sys.argv[0])
    return f"python3 {shlex.quote(sys.argv[0])}"


def completed(arguments: Sequence[str], path: str) -> list[str]:
    """Return the arguments for the installed command: `install` unless another is named."""
    first = 1 if arguments[:1] and arguments[0] in _VERBOSE else 0
    flags, rest = list(arguments[:first]), list(arguments[first:])
    if not rest or (rest[0].startswith("-") and rest[0] not in _OF_THE_GROUP):
        rest.insert(0, "install")
    if _takes_bundle(rest[0]):
        rest.insert(1, path)
    return [*flags, *rest]


def _takes_bundle(name: str) -> bool:
    try:
        command = cli.bundle.get_command(click.Context(cli.bundle), name)
    except WheelferryError:
        # The online side's commands are not here; running them says so.
        return False
    return command is not None and any(
        isinstance(parameter, click.Argument) and parameter.name == "bundle"
        for parameter in command.params
    )
