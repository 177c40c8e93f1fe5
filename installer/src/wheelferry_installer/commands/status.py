"""`bundle status`: what is installed, from which bundle, and is it intact."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.bundle_options import (
    json_option,
    policy_if_any,
    signers_json,
    signers_option,
)
from wheelferry_installer.commands.leftovers import named
from wheelferry_installer.commands.place_options import (
    UNFINISHED,
    find_place,
    is_unfinished,
    managed_path,
    place_options,
    refuse_several,
)
from wheelferry_installer.commands.printing import say, say_json, warn
from wheelferry_schemas.display import count, human_size
from wheelferry_schemas.errors import ConflictError, MalformedError, UsageError

if TYPE_CHECKING:
    from wheelferry_installer.environment.generations import Generation
    from wheelferry_installer.environment.vouching import Vouched
    from wheelferry_installer.host.places import Place
    from wheelferry_schemas.receipt import Receipt


@click.command()
@place_options
@signers_option
@json_option
def status(
    environment: Path | None,
    into: Path | None,
    target: Path | None,
    prefix: Path | None,
    python: str | None,
    allowed_signers: Path | None,
    as_json: bool,
) -> None:
    """Compare every installed file with what was installed; exit 4 if something was changed.

    That is what RECORD and the receipt say, which lie in the same place as the files. Who signed is
    checked: the manifest and its signatures lie there too.
    """
    from wheelferry_installer.environment.generations import Generation
    from wheelferry_installer.environment.inspection import inspect
    from wheelferry_installer.environment.vouching import vouch
    from wheelferry_installer.system.disk import size_on_disk
    from wheelferry_schemas import receipt as receipts

    refuse_several(venv=environment, into=into, target=target, prefix=prefix)
    place = find_place(into, target, prefix, python)
    where = managed_path(environment) if place is None else place.root
    unfinished = is_unfinished(where, place)
    whole = place is None
    receipt, kept = _read(where, place, unfinished=unfinished)
    findings = inspect(where, receipt, whole=whole)
    folder = where / (receipts.FOLDER if place is None else place.receipts)
    policy, now = policy_if_any(allowed_signers), int(time.time())
    vouched = vouch(folder, receipt, policy, now, whole=whole)
    intact = findings.intact and not vouched.problems
    this = Generation(path=where, receipt=receipt)
    generations = [(g, size_on_disk(g.path)) for g in (this, *kept)] if whole else []
    if as_json:
        data = {
            "environment": os.fspath(where),
            "intact": intact,
            "unfinished": unfinished,
            "changed": findings.changed,
            "missing": findings.missing,
            "added": findings.added,
            "problems": vouched.problems,
            "signers": signers_json(vouched.signers),
            "vouched": {
                "signers": bool(vouched.accepted),
                "packages": whole and bool(vouched.accepted) and not vouched.problems,
                "files": False,
            },
            "receipt": receipt.plain(),
            "previous": kept[0].receipt.plain() if kept else None,
            "generations": [_summary(*generation) for generation in generations]
            or [_summary(this, None)],
        }
        say_json(data)
        broken = ConflictError if unfinished else MalformedError
        sys.exit(0 if intact else broken.exit_code)
    _show(where, receipt, generations, vouched)
    if findings.added:
        say(f"{count(len(findings.added), 'file')} came since, from elsewhere")
    if intact:
        say(
            "every installed file is as RECORD and receipt say; who can write there can rewrite "
            "these too: to take the signed files again, bundle install BUNDLE --reinstall"
        )
    if unfinished:
        say(f"a change of {where} is unfinished: {UNFINISHED}")
    if not intact:
        details = [
            *vouched.problems,
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


def _read(
    where: Path, place: Place | None, *, unfinished: bool
) -> tuple[Receipt, list[Generation]]:
    """Return the receipt, and those of the former environments that are kept."""
    from wheelferry_installer.environment.receipts import read_receipt, read_receipt_in

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


def _kept(where: Path) -> list[Generation]:
    """Return the former environments; without a word of another user's folder."""
    from wheelferry_installer.environment.generations import ManagedEnvironment

    try:
        return ManagedEnvironment(where).kept
    except ConflictError as error:
        warn(f"former environments are not listed: {error.message}")
        return []


def _unfinished(where: Path, details: list[str]) -> ConflictError:
    return ConflictError(f"a change of {where} is unfinished", details=details, hint=UNFINISHED)


def _summary(generation: Generation, size: int | None) -> dict[str, str | int | None]:
    receipt = generation.receipt
    return {
        "generation": receipt.generation,
        "bundle": receipt.bundle,
        "bundle_created": receipt.bundle_created,
        "installed": receipt.installed,
        "packages": len(receipt.packages),
        "path": os.fspath(generation.path),
        "size": size,
    }


def _show(
    where: Path, receipt: Receipt, generations: list[tuple[Generation, int]], vouched: Vouched
) -> None:
    from wheelferry_installer.plan.doubts import fingerprint_of

    packages = count(len(receipt.packages), "package")
    sizes = [f", {human_size(size)}" for _, size in generations] or [""]
    say(f"{where}: {packages} for Python {receipt.python}{sizes[0]}")
    say(f"from {receipt.bundle}, made {receipt.bundle_created}")
    say(f"installed {receipt.installed} by {receipt.tool}")
    for signer in vouched.accepted:
        say(f"signed by {signer.name or '?'} {signer.fingerprint}")
    accepted = {signer.fingerprint for signer in vouched.accepted}
    reasons = {signer.fingerprint: signer.problem for signer in vouched.signers}
    for name in receipt.signers:
        fingerprint = fingerprint_of(name)
        if fingerprint not in accepted:
            reason = reasons.get(fingerprint) or "its signature does not lie there"
            say(f"the receipt says that {name} signed: {reason}")
    for (former, _), size in zip(generations[1:], sizes[1:], strict=True):
        say(f"kept for 'bundle rollback': {named(former.receipt)}{size}")
