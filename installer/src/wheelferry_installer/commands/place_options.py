"""Options that say where an installation is: a managed environment or another place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import gathered
from wheelferry_installer.commands.printing import tell
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_installer.install.place_engines import Place

UNFINISHED = "the next install, rollback or uninstall there finishes or undoes it"
_FOLDER = click.Path(path_type=Path)
_DEFAULT = Path(".venv")
venv_option = click.option(
    "--venv",
    "environment",
    type=_FOLDER,
    metavar="DIR",
    help="The environment that wheelferry manages as a whole.  [default: .venv]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOptions:
    """Where the command line says that an installation is."""

    environment: Path | None
    into: Path | None
    target: Path | None
    prefix: Path | None
    python: str | None

    def find(self) -> Place:
        """Return the place that is named; raises `UsageError` where more than one is."""
        named = [
            f"--{name}"
            for name, folder in (
                ("venv", self.environment),
                ("into", self.into),
                ("target", self.target),
                ("prefix", self.prefix),
            )
            if folder is not None
        ]
        if len(named) > 1:
            raise UsageError(
                f"{' and '.join(named)} name different places", hint="pass one of them"
            )
        if self.into is not None:
            return api.into(self.into)
        if self.target is not None:
            return api.folder(self.target, python=self.python)
        if self.prefix is not None:
            return api.prefix(self.prefix, python=self.python)
        return api.managed(self.environment or _DEFAULT, python=self.python)

    def refuse_two_interpreters(self) -> None:
        """Raise `UsageError` where `--python` and `--into` are both given."""
        if self.into is not None and self.python is not None:
            raise UsageError(
                "--python cannot be combined with --into, which names an interpreter",
                hint="leave one of them out",
            )


place_options = gathered(
    "where",
    PlaceOptions,
    venv_option,
    click.option(
        "--into",
        type=_FOLDER,
        metavar="ENV",
        help="An environment that somebody else made: its folder, or its interpreter.",
    ),
    click.option(
        "--target", type=_FOLDER, metavar="DIR", help="One folder of modules, to put on a path."
    ),
    click.option(
        "--prefix", type=_FOLDER, metavar="DIR", help="A tree like /usr/local: bin, lib, share."
    ),
    click.option(
        "--python",
        metavar="PATH|VERSION",
        help="The interpreter to use. Default: this one, else one on PATH that fits.",
    ),
)
wait_option = click.option(
    "--no-wait", is_flag=True, help="Fail rather than wait for another run on the same place."
)
sync_option = click.option(
    "--no-sync",
    is_flag=True,
    help="Skip fsync: faster, but a power loss may lose the installation.",
)


def waiting(path: Path, *, no_wait: bool) -> Callable[[], None] | None:
    """Return what tells that another run is waited for, None where nobody wants to wait."""
    if no_wait:
        return None
    return lambda: tell(f"waiting for another run that works on {path}")
