"""Options that say where an installation is: a managed environment or another place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wheelferry_installer.commands.printing import tell
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_installer.host.places import Place
    from wheelferry_installer.plan.interpreter import Interpreter

_Command = TypeVar("_Command", bound=Callable[..., Any])
UNFINISHED = "the next install, rollback or uninstall there finishes or undoes it"
_FOLDER = click.Path(path_type=Path)


def place_options(command: _Command) -> _Command:
    """Add `--venv`, `--into`, `--target`, `--prefix` and `--python`; one place may be named."""
    command = click.option(
        "--python",
        metavar="PATH|VERSION",
        help="The interpreter to use. Default: this one, else one on PATH that fits.",
    )(command)
    command = click.option(
        "--prefix", type=_FOLDER, metavar="DIR", help="A tree like /usr/local: bin, lib, share."
    )(command)
    command = click.option(
        "--target", type=_FOLDER, metavar="DIR", help="One folder of modules, to put on a path."
    )(command)
    command = click.option(
        "--into",
        type=_FOLDER,
        metavar="ENV",
        help="An environment that somebody else made: its folder, or its interpreter.",
    )(command)
    return click.option(
        "--venv",
        "environment",
        type=_FOLDER,
        metavar="DIR",
        help="The environment that wheelferry manages as a whole.  [default: .venv]",
    )(command)


def wait_option(command: _Command) -> _Command:
    """Add `--no-wait`."""
    return click.option(
        "--no-wait", is_flag=True, help="Fail rather than wait for another run on the same place."
    )(command)


sync_option = click.option(
    "--no-sync", is_flag=True, help="Do not wait until all is safe on the disk."
)


def refuse_several(**places: Path | None) -> None:
    """Raise `UsageError` where more than one place is named."""
    named = [f"--{name}" for name, folder in places.items() if folder is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} name different places", hint="pass one of them")


def managed_path(environment: Path | None) -> Path:
    """Return the path of the environment that wheelferry manages."""
    return Path(os.path.abspath(environment or ".venv"))


def find_place(
    into: Path | None, target: Path | None, prefix: Path | None, python: str | None
) -> Place | None:
    """Return the place that is named, None where the environment is one that wheelferry manages."""
    from wheelferry_installer.host import interpreter_search, places

    if into is not None:
        return places.into(into)[0]
    if target is None and prefix is None:
        return None
    return place_for(
        next(interpreter_search.find(python, ())), target, prefix, named=python is not None
    )


def place_for(
    interpreter: Interpreter, target: Path | None, prefix: Path | None, *, named: bool
) -> Place | None:
    """Return the place that `--target` or `--prefix` is for an interpreter.

    Scripts start with that very interpreter where it was `named`, else with the one that it was
    made from: wheelferry's own environment is nobody else's.
    """
    from wheelferry_installer.host import places

    starter = interpreter.executable if named else interpreter.base_executable
    if target is not None:
        return places.target(target, starter)
    if prefix is not None:
        return places.prefix(prefix, interpreter, starter)
    return None


def is_unfinished(where: Path, place: Place | None) -> bool:
    """Return whether another run is at work there, or was interrupted; changes nothing."""
    from wheelferry_installer.environment import generations, tree_journal
    from wheelferry_installer.host import places

    if place is None:
        return generations.ManagedEnvironment(where).unfinished
    return tree_journal.is_unfinished(where / places.CONTROL)


def waiting(path: Path, *, no_wait: bool) -> Callable[[], None] | None:
    """Return what tells that another run is waited for, None where nobody wants to wait."""
    if no_wait:
        return None
    return lambda: tell(f"waiting for another run that works on {path}")
