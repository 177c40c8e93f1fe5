"""What lies where an environment is to be, and whether its receipt is to be believed.

A receipt proves nothing by itself: whoever can write to the environment can write one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from wheelferry_installer.environment import vouching
from wheelferry_installer.environment.generations import read_receipt
from wheelferry_installer.environment.inspection import inspect
from wheelferry_installer.system import own_folder
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_schemas.bundle.manifest import Package
from wheelferry_schemas.display import count
from wheelferry_schemas.errors import ConflictError
from wheelferry_schemas.receipt import FOLDER, Receipt


def present_in(environment: Path) -> Receipt | None:
    """Return the receipt of what lies at `environment`, None where nothing does.

    Raises `ConflictError` where that is not an environment that wheelferry made, or one of another
    user's. Root may replace those too.
    """
    try:
        status = environment.lstat()
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise ConflictError(
            f"{environment} lies below something that is not a folder",
            hint="choose another place with --venv",
        ) from error
    if not stat.S_ISDIR(status.st_mode):
        raise ConflictError(
            f"{environment} is there already, and is no folder",
            hint="move it away, or choose another place with --venv",
        )
    receipt = read_receipt(environment)
    if receipt is None and any(environment.iterdir()):
        raise ConflictError(
            f"{environment} is there already, and was not made by wheelferry",
            hint="move it away, choose another place with --venv, or add to it with --into",
        )
    if receipt is not None and hasattr(os, "geteuid") and os.geteuid() not in (0, status.st_uid):
        own_folder.refuse_foreign(environment, status)
    return receipt


def doubts(
    environment: Path, receipt: Receipt, bundle: VerifiedBundle, packages: Sequence[Package]
) -> tuple[str, ...]:
    """Return why an environment is not what a bundle would give, although its receipt says so."""
    return tuple(_doubts(environment, receipt, bundle, packages))


def _doubts(
    environment: Path, receipt: Receipt, bundle: VerifiedBundle, packages: Sequence[Package]
) -> Iterator[str]:
    reason = own_folder.why_foreign(environment.lstat())
    if reason is not None:
        yield f"it {reason}"
    if not vouching.packages_agree(receipt, packages):
        yield "its receipt lists other packages than the bundle has"
    fingerprints = {signer.fingerprint for signer in bundle.signers}
    strangers = [s for s in receipt.signers if vouching.fingerprint_of(s) not in fingerprints]
    if strangers:
        yield f"its receipt says that {strangers[0]} signed the bundle, who did not"
    if vouching.stored_manifest(environment / FOLDER) != bundle.manifest_bytes:
        yield "the manifest in it is not that of the bundle"
    findings = inspect(environment, receipt, thorough=False)
    for what, paths in (("missing", findings.missing), ("edited", findings.changed)):
        if paths:
            yield f"{count(len(paths), 'file')} {what}, such as {paths[0]}"
