"""`bundle rollback`: the environment before the last change."""

from __future__ import annotations

import os

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import json_option, say_changes
from wheelferry_installer.commands.leftovers import left_json, say_left
from wheelferry_installer.commands.place_options import (
    PlaceOptions,
    place_options,
    sync_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import say, say_json


@click.command()
@place_options
@click.option(
    "--to", metavar="GENERATION", help="Go back to that one, as 'bundle status' lists them."
)
@click.option(
    "--if-generation",
    metavar="GENERATION",
    help="Only if that is the present one; else exit 8. So a script that runs twice goes back once.",
)
@sync_option
@wait_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@json_option
def rollback(
    where: PlaceOptions,
    to: str | None,
    if_generation: str | None,
    no_sync: bool,
    no_wait: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put back the environment from before the last change; a second rollback undoes the first."""
    place = where.find()
    done = api.rollback(
        place,
        to=to,
        if_generation=if_generation,
        dry_run=dry_run,
        sync=not no_sync,
        on_wait=waiting(place.root, no_wait=no_wait),
        shield_signals=True,
    )
    receipt = done.receipt
    if as_json:
        data = {
            "environment": os.fspath(place.root),
            "bundle": receipt.bundle if receipt else None,
            "bundle_created": receipt.bundle_created if receipt else None,
            "python": receipt.python if receipt else None,
            "changed": True,
            "kept_files": left_json(done.losses, done.former),
        }
        say_json({**data, **done.changes.plain()})
        return
    say_changes(done.changes)
    made = f"from {receipt.bundle}, made {receipt.bundle_created}" if receipt else "before that"
    say(f"{place.root} {'would be' if dry_run else 'is'} again the one {made}")
    if done.former is not None:
        say_left(done.losses, done.former, "would stay" if dry_run else "stays")
