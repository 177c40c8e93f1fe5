"""`bundle rollback`: the environment before the last change."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wheelferry_installer.commands.bundle_options import json_option, say_changes
from wheelferry_installer.commands.leftovers import left_json, say_left
from wheelferry_installer.commands.place_options import (
    find_place,
    managed_path,
    place_options,
    refuse_several,
    sync_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import say, say_json
from wheelferry_schemas.errors import UsageError

_SHORTEST = 8
"""As many characters of a generation as `bundle status` shows."""


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
@click.option("--dry-run", is_flag=True, help="Say what would change, and stop.")
@json_option
def rollback(
    environment: Path | None,
    into: Path | None,
    target: Path | None,
    prefix: Path | None,
    python: str | None,
    to: str | None,
    if_generation: str | None,
    no_sync: bool,
    no_wait: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put the environment from before the last change back; a second rollback undoes the first."""
    from wheelferry_installer.install import rolling_back

    refuse_several(venv=environment, into=into, target=target, prefix=prefix)
    if if_generation is not None and len(if_generation) < _SHORTEST:
        raise UsageError(
            f"--if-generation takes at least {_SHORTEST} characters",
            hint="'bundle status' shows as many, and all of them with --json",
        )
    place = find_place(into, target, prefix, python)
    if place is not None and to is not None:
        raise UsageError(
            "--to is for environments that wheelferry manages",
            hint="elsewhere only the last change can be undone",
        )
    where = managed_path(environment) if place is None else place.root
    on_wait, sync = waiting(where, no_wait=no_wait), not no_sync
    if place is None and dry_run:
        done = rolling_back.foresee(where, to=to, if_generation=if_generation)
    elif place is None:
        done = rolling_back.roll_back(
            where, to=to, if_generation=if_generation, sync=sync, on_wait=on_wait
        )
    elif dry_run:
        done = rolling_back.foresee_place(place, if_generation=if_generation)
    else:
        done = rolling_back.roll_back_place(
            place, if_generation=if_generation, sync=sync, on_wait=on_wait
        )
    receipt = done.receipt
    if as_json:
        data = {
            "environment": os.fspath(where),
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
    say(f"{where} {'would be' if dry_run else 'is'} again the one {made}")
    if done.former is not None:
        say_left(done.losses, done.former, "would stay" if dry_run else "stays")
