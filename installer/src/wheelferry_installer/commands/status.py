"""`bundle status`: what is installed, from which bundle, and is it intact."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import (
    json_option,
    policy_if_any,
    signers_json,
    signers_option,
)
from wheelferry_installer.commands.leftovers import named
from wheelferry_installer.commands.place_options import UNFINISHED, PlaceOptions, place_options
from wheelferry_installer.commands.printing import say, say_json, warn
from wheelferry_schemas.display import count, human_size
from wheelferry_schemas.errors import ConflictError, MalformedError

if TYPE_CHECKING:
    from wheelferry_installer.install.place_status import SizedGeneration, Status


@click.command()
@place_options
@signers_option
@json_option
def status(where: PlaceOptions, allowed_signers: Path | None, as_json: bool) -> None:
    """Compare every installed file with what was installed; exit 4 if something was changed.

    That is what RECORD and the receipt say, which lie in the same place as the files. Who signed is
    checked: the manifest and its signatures lie there too.
    """
    found = api.status(where.find(), policy_if_any(allowed_signers))
    if found.unlisted is not None:
        warn(f"former environments are not listed: {found.unlisted}")
    if as_json:
        say_json(_as_json(found))
        broken = ConflictError if found.unfinished else MalformedError
        sys.exit(0 if found.intact else broken.exit_code)
    _show(found)
    if not found.intact:
        if found.unfinished:
            raise ConflictError(
                f"a change of {found.root} is unfinished", details=found.problems, hint=UNFINISHED
            )
        raise MalformedError(
            f"{found.root} is not as it was installed",
            details=found.problems,
            hint="to repair it, install the bundle again with --reinstall",
        )


def _as_json(found: Status) -> dict[str, object]:
    accepted = bool(found.vouched.accepted)
    return {
        "environment": os.fspath(found.root),
        "intact": found.intact,
        "unfinished": found.unfinished,
        "changed": found.findings.changed,
        "missing": found.findings.missing,
        "added": found.findings.added,
        "problems": found.vouched.problems,
        "signers": signers_json(found.vouched.signers),
        "vouched": {
            "signers": accepted,
            "packages": found.is_managed and accepted and not found.vouched.problems,
            "files": False,
        },
        "receipt": found.receipt.plain(),
        "previous": found.kept[0].receipt.plain() if found.kept else None,
        "generations": [_summary(generation) for generation in found.generations],
    }


def _summary(generation: SizedGeneration) -> dict[str, str | int | None]:
    receipt = generation.receipt
    return {
        "generation": receipt.generation,
        "bundle": receipt.bundle,
        "bundle_created": receipt.bundle_created,
        "installed": receipt.installed,
        "packages": len(receipt.packages),
        "path": os.fspath(generation.path),
        "size": generation.size,
    }


def _show(found: Status) -> None:
    receipt = found.receipt
    packages = count(len(receipt.packages), "package")
    sizes = [
        "" if generation.size is None else f", {human_size(generation.size)}"
        for generation in found.generations
    ]
    say(f"{found.root}: {packages} for Python {receipt.python}{sizes[0]}")
    say(f"from {receipt.bundle}, made {receipt.bundle_created}")
    say(f"installed {receipt.installed} by {receipt.tool}")
    for signer in found.vouched.accepted:
        say(f"signed by {signer.name or '?'} {signer.fingerprint}")
    for name, reason in found.disputed:
        say(f"the receipt says that {name} signed: {reason}")
    for former, size in zip(found.kept, sizes[1:], strict=True):
        say(f"kept for 'bundle rollback': {named(former.receipt)}{size}")
    if found.findings.added:
        say(f"{count(len(found.findings.added), 'file')} came since, from elsewhere")
    if found.intact:
        say(
            "every installed file is as RECORD and receipt say; who can write there can rewrite "
            "these too: to take the signed files again, bundle install BUNDLE --reinstall"
        )
    if found.unfinished:
        say(f"a change of {found.root} is unfinished: {UNFINISHED}")
