"""`bundle rollback`: the environment before the last change."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wheelferry_installer.commands.options import venv_option
from wheelferry_schemas.display import printable


@click.command()
@venv_option
@click.option("--no-sync", is_flag=True, help="Do not wait until all is safe on the disk.")
def rollback(environment: Path, no_sync: bool) -> None:
    """Put the environment from before the last change back; a second rollback undoes the first."""
    from wheelferry_installer.transaction import locked, read_receipt

    environment = Path(os.path.abspath(environment))
    with locked(environment) as managed:
        managed.rollback(sync=not no_sync)
    receipt = read_receipt(environment)
    made = f" from {receipt.bundle}, made {receipt.bundle_created}" if receipt else ""
    click.echo(printable(f"{environment} is again the one{made}"))
