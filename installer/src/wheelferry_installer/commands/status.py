"""`bundle status`: what is installed, from which bundle, and is it intact."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.options import json_option, venv_option
from wheelferry_schemas.display import count, printable
from wheelferry_schemas.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from wheelferry_installer.inspection import Findings
    from wheelferry_schemas.receipt import Receipt


@click.command()
@venv_option
@json_option
def status(environment: Path, as_json: bool) -> None:
    """Compare every installed file with what was installed; exit 4 if something was changed."""
    from wheelferry_installer.inspection import inspect
    from wheelferry_installer.transaction import ManagedEnvironment, read_receipt

    environment = Path(os.path.abspath(environment))
    receipt = read_receipt(environment)
    if receipt is None:
        raise UsageError(
            f"{environment} is not an environment that wheelferry made",
            hint="name one with --venv",
        )
    findings = inspect(environment, receipt)
    previous = read_receipt(ManagedEnvironment(environment).previous)
    if as_json:
        data = {
            "environment": os.fspath(environment),
            "intact": findings.intact,
            "changed": findings.changed,
            "missing": findings.missing,
            "added": findings.added,
            "receipt": receipt.model_dump(mode="json"),
            "previous": previous.model_dump(mode="json") if previous else None,
        }
        click.echo(json.dumps(data, indent=2))
        sys.exit(0 if findings.intact else MalformedError.exit_code)
    _show(environment, receipt, previous, findings)
    if not findings.intact:
        raise MalformedError(
            f"{environment} is not as it was installed",
            details=[
                *(f"changed: {path}" for path in findings.changed),
                *(f"missing: {path}" for path in findings.missing),
            ],
            hint="to repair it, install the bundle again with --reinstall",
        )


def _show(
    environment: Path, receipt: Receipt, previous: Receipt | None, findings: Findings
) -> None:
    packages = count(len(receipt.packages), "package")
    click.echo(printable(f"{environment}: {packages} for Python {receipt.python}"))
    click.echo(printable(f"from {receipt.bundle}, made {receipt.bundle_created}"))
    click.echo(f"installed {receipt.installed} by {receipt.tool}")
    for signer in receipt.signers:
        click.echo(printable(f"signed by {signer}"))
    if previous is not None:
        was = f"{previous.bundle}, made {previous.bundle_created}"
        click.echo(printable(f"kept for 'bundle rollback': {was}"))
    if findings.added:
        click.echo(f"{count(len(findings.added), 'file')} came since, from elsewhere")
    if findings.intact:
        click.echo("every installed file is as it was installed")
