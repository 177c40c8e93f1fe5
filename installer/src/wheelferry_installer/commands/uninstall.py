"""`bundle uninstall`: removes what wheelferry installed."""

from __future__ import annotations

import click

from wheelferry_installer import api
from wheelferry_installer.commands.place_options import (
    PlaceOptions,
    place_options,
    sync_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import say
from wheelferry_schemas.display import count


@click.command()
@place_options
@click.option("--force", is_flag=True, help="Also remove files that were edited or added since.")
@sync_option
@wait_option
def uninstall(where: PlaceOptions, force: bool, no_sync: bool, no_wait: bool) -> None:
    """Remove the environment with all former ones; from other places, the packages installed there.

    Nothing can be rolled back after that.
    """
    place = where.find()
    packages = api.uninstall(
        place,
        force=force,
        sync=not no_sync,
        on_wait=waiting(place.root, no_wait=no_wait),
        shield_signals=True,
    )
    if place.is_managed:
        say(f"removed {place.root}")
    else:
        say(f"removed {count(len(packages), 'package')} from {place.root}")
