"""`bundle uninstall`: removes what wheelferry installed."""

from __future__ import annotations

from pathlib import Path

import click

from wheelferry_installer.commands.place_options import (
    find_place,
    managed_path,
    place_options,
    refuse_several,
    sync_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import say
from wheelferry_schemas.display import count


@click.command()
@place_options
@click.option("--force", is_flag=True, help="Remove files too that were edited or added since.")
@sync_option
@wait_option
def uninstall(
    environment: Path | None,
    into: Path | None,
    target: Path | None,
    prefix: Path | None,
    python: str | None,
    force: bool,
    no_sync: bool,
    no_wait: bool,
) -> None:
    """Remove the environment with all former ones; from other places, the packages installed there.

    Nothing can be rolled back after that.
    """
    from wheelferry_installer.install import installation, merging

    refuse_several(venv=environment, into=into, target=target, prefix=prefix)
    place = find_place(into, target, prefix, python)
    where = managed_path(environment) if place is None else place.root
    on_wait = waiting(where, no_wait=no_wait)
    if place is None:
        installation.uninstall(where, force=force, sync=not no_sync, on_wait=on_wait)
        say(f"removed {where}")
        return
    packages = merging.uninstall(place, force=force, sync=not no_sync, on_wait=on_wait)
    say(f"removed {count(len(packages), 'package')} from {where}")
