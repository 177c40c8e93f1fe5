"""`bundle prune`: removes former environments."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import json_option
from wheelferry_installer.commands.leftovers import pruned_json, say_pruned
from wheelferry_installer.commands.place_options import (
    sync_option,
    venv_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import say, say_json
from wheelferry_schemas.display import count


@click.command()
@venv_option
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="How many former environments to keep for 'bundle rollback'.",
)
@click.option("--force", is_flag=True, help="Also remove files that were edited or added since.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and stop.")
@json_option
@sync_option
@wait_option
def prune(
    environment: Path | None,
    keep: int,
    force: bool,
    dry_run: bool,
    as_json: bool,
    no_sync: bool,
    no_wait: bool,
) -> None:
    """Remove former environments but the youngest, and say how much room that gives back.

    'bundle rollback' can then no longer go back to them. The environment itself stays as it is.
    """
    place = api.managed(environment or Path(".venv"))
    pruned = api.prune(
        place,
        keep,
        force=force,
        dry_run=dry_run,
        sync=not no_sync,
        on_wait=waiting(place.root, no_wait=no_wait),
        shield_signals=True,
    )
    if as_json:
        say_json({"environment": os.fspath(place.root), **pruned_json(pruned), "kept": pruned.kept})
    elif pruned.generations:
        say_pruned(pruned, dry_run=dry_run)
    else:
        say(f"nothing to remove: {place.root} has {count(pruned.kept, 'former environment')}")
