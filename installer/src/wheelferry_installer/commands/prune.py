"""`bundle prune`: removes former environments."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wheelferry_installer.commands.bundle_options import json_option
from wheelferry_installer.commands.leftovers import pruned_json, say_pruned
from wheelferry_installer.commands.place_options import (
    managed_path,
    sync_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import say, say_json
from wheelferry_schemas.display import count


@click.command()
@click.option(
    "--venv",
    "environment",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The environment that wheelferry manages.  [default: .venv]",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="How many former environments stay for 'bundle rollback'.",
)
@click.option("--force", is_flag=True, help="Remove files too that were edited or added since.")
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
    from wheelferry_installer.environment import pruning

    where = managed_path(environment)
    on_wait = waiting(where, no_wait=no_wait)
    pruned = (
        pruning.foresee(where, keep, force=force)
        if dry_run
        else pruning.prune_environment(where, keep, force=force, sync=not no_sync, on_wait=on_wait)
    )
    if as_json:
        say_json({"environment": os.fspath(where), **pruned_json(pruned), "kept": pruned.kept})
    elif pruned.generations:
        say_pruned(pruned, dry_run=dry_run)
    else:
        say(f"nothing to remove: {where} has {count(pruned.kept, 'former environment')}")
