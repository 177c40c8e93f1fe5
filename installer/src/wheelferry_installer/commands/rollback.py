"""`bundle rollback`: the environment before the last change."""

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
from wheelferry_schemas.errors import UsageError


@click.command()
@place_options
@click.option(
    "--to", metavar="GENERATION", help="Go back to that one, as 'bundle status' lists them."
)
@sync_option
@wait_option
def rollback(
    environment: Path | None,
    into: Path | None,
    target: Path | None,
    prefix: Path | None,
    python: str | None,
    to: str | None,
    no_sync: bool,
    no_wait: bool,
) -> None:
    """Put the environment from before the last change back; a second rollback undoes the first."""
    from wheelferry_installer import journal
    from wheelferry_installer.places import CONTROL
    from wheelferry_installer.transaction import locked, read_receipt, read_receipt_in

    refuse_several(venv=environment, into=into, target=target, prefix=prefix)
    place = find_place(into, target, prefix, python)
    if place is None:
        where = managed_path(environment)
        with locked(where, waiting(where, no_wait=no_wait)) as managed:
            managed.rollback(sync=not no_sync, to=to)
        receipt = read_receipt(where)
    elif to is not None:
        raise UsageError(
            "--to is for environments that wheelferry manages",
            hint="elsewhere only the last change can be undone",
        )
    else:
        where = place.root
        on_wait = waiting(where, no_wait=no_wait)
        with journal.locked(where, where / CONTROL, on_wait) as entries:
            entries.rollback(sync=not no_sync)
        receipt = read_receipt_in(where / place.receipts)
    made = f"from {receipt.bundle}, made {receipt.bundle_created}" if receipt else "before that"
    say(f"{where} is again the one {made}")
