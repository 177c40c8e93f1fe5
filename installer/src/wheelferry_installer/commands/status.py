"""`bundle status`: what is installed, from which bundle, and is it intact."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.options import json_option
from wheelferry_installer.commands.place_options import (
    UNFINISHED,
    find_place,
    is_unfinished,
    managed_path,
    place_options,
    refuse_several,
)
from wheelferry_installer.commands.printing import say, say_json, warn
from wheelferry_schemas.display import count
from wheelferry_schemas.errors import ConflictError, MalformedError, UsageError

if TYPE_CHECKING:
    from wheelferry_installer.inspection import Findings
    from wheelferry_installer.places import Place
    from wheelferry_schemas.receipt import Receipt

_SHORT = 8


@click.command()
@place_options
@json_option
def status(
    environment: Path | None,
    into: Path | None,
    target: Path | None,
    prefix: Path | None,
    python: str | None,
    as_json: bool,
) -> None:
    """Compare every installed file with what was installed; exit 4 if something was changed."""
    from wheelferry_installer.inspection import inspect

    refuse_several(venv=environment, into=into, target=target, prefix=prefix)
    place = find_place(into, target, prefix, python)
    where = managed_path(environment) if place is None else place.root
    unfinished = is_unfinished(where, place)
    receipt, kept = _read(where, place, unfinished=unfinished)
    findings = inspect(where, receipt, whole=place is None)
    if as_json:
        data = {
            "environment": os.fspath(where),
            "intact": findings.intact,
            "unfinished": unfinished,
            "changed": findings.changed,
            "missing": findings.missing,
            "added": findings.added,
            "receipt": receipt.plain(),
            "previous": kept[0].plain() if kept else None,
            "generations": [_summary(receipt), *map(_summary, kept)],
        }
        say_json(data)
        broken = ConflictError if unfinished else MalformedError
        sys.exit(0 if findings.intact else broken.exit_code)
    _show(where, receipt, kept, findings)
    if unfinished:
        say(f"a change of {where} is unfinished: {UNFINISHED}")
    if not findings.intact:
        details = [
            *(f"changed: {path}" for path in findings.changed),
            *(f"missing: {path}" for path in findings.missing),
        ]
        if unfinished:
            raise _unfinished(where, details)
        raise MalformedError(
            f"{where} is not as it was installed",
            details=details,
            hint="to repair it, install the bundle again with --reinstall",
        )


def _read(where: Path, place: Place | None, *, unfinished: bool) -> tuple[Receipt, list[Receipt]]:
    """Return the receipt, and those of the former environments that are kept."""
    from wheelferry_installer.transaction import read_receipt, read_receipt_in

    receipt = read_receipt(where) if place is None else read_receipt_in(where / place.receipts)
    if receipt is None and unfinished:
        raise _unfinished(where, [])
    if receipt is None:
        made = "is not an environment that wheelferry made"
        raise UsageError(
            f"{where} {made if place is None else 'has nothing that wheelferry installed'}",
            hint="name one with --venv; other places with --into, --target or --prefix",
        )
    return receipt, _kept(where) if place is None else []


def _kept(where: Path) -> list[Receipt]:
    """Return the receipts of the former environments; without a word of another user's folder."""
    from wheelferry_installer.transaction import ManagedEnvironment

    try:
        return [generation.receipt for generation in ManagedEnvironment(where).kept]
    except ConflictError as error:
        warn(f"former environments are not listed: {error.message}")
        return []


def _unfinished(where: Path, details: list[str]) -> ConflictError:
    return ConflictError(f"a change of {where} is unfinished", details=details, hint=UNFINISHED)


def _summary(receipt: Receipt) -> dict[str, str | int]:
    return {
        "generation": receipt.generation,
        "bundle": receipt.bundle,
        "bundle_created": receipt.bundle_created,
        "installed": receipt.installed,
        "packages": len(receipt.packages),
    }


def _show(where: Path, receipt: Receipt, kept: list[Receipt], findings: Findings) -> None:
    packages = count(len(receipt.packages), "package")
    say(f"{where}: {packages} for Python {receipt.python}")
    say(f"from {receipt.bundle}, made {receipt.bundle_created}")
    say(f"installed {receipt.installed} by {receipt.tool}")
    for signer in receipt.signers:
        say(f"signed by {signer}")
    for former in kept:
        was = f"{former.bundle}, made {former.bundle_created}, installed {former.installed}"
        generation = former.generation[:_SHORT]
        say(f"kept for 'bundle rollback': {generation} from {was}")
    if findings.added:
        say(f"{count(len(findings.added), 'file')} came since, from elsewhere")
    if findings.intact:
        say("every installed file is as it was installed")
