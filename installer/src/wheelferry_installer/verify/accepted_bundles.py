"""Remembers the newest bundle of each name that was installed here, and refuses older ones.

The record is kept in the user's state folder, or in `/var/lib` for root, not in environments: an
older bundle cannot be installed into a new folder, or after the newer one was uninstalled.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from wheelferry_installer.system import own_folder, signals
from wheelferry_installer.system.config_folder import state_folder
from wheelferry_installer.system.folder_lock import held
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_installer.verify.verification import VerifiedBundle, comes_from_future
from wheelferry_schemas import accepted
from wheelferry_schemas.accepted import Accepted, AcceptedBundle
from wheelferry_schemas.errors import (
    MalformedError,
    OutdatedError,
    TransferError,
    WheelferryError,
)

_LOCKED = "accepting"


def refuse_older(bundle: VerifiedBundle, *, allowed: bool) -> None:
    """Raise `OutdatedError` if a newer bundle of the same name was accepted before.

    Also raises if the record cannot be read: `ConflictError` if another user owns the folder,
    otherwise `MalformedError` or `TransferError`.
    """
    folder = state_folder()
    try:
        with own_folder.found(folder) as state:
            known = _read(state).newest(bundle.manifest.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(folder, error) from error
    created = bundle.manifest.created
    if known is not None and created < known.created and not allowed:
        raise OutdatedError(
            f"{bundle.path.name} is older than the newest bundle of {known.name!r} that was "
            f"installed here: created at {created}, that one at {known.created}",
            hint="an old bundle may bring back known vulnerabilities: 'bundle rollback' goes back one "
            "step, --allow-downgrade takes the bundle",
        )


def remember(
    bundle: VerifiedBundle, now: int, warn: Callable[[str], None], *, sync: bool = True
) -> None:
    """Record that a bundle was installed; warn if that is not possible.

    Bundles without an accepted signature, or dated in the future, are not recorded.
    """
    if comes_from_future(bundle.manifest, now) or not any(
        signer.problem is None for signer in bundle.signers
    ):
        return
    installed = AcceptedBundle(
        name=bundle.manifest.name,
        created=bundle.manifest.created,
        manifest_sha256=bundle.sha256,
    )
    folder = state_folder()
    with signals.kept():
        # The bundle is installed: interrupting the command now must not suggest that it is not.
        signals.ignore()
        try:
            _add(installed, folder, sync=sync)
        except (OSError, WheelferryError) as error:
            reason = error.strerror if isinstance(error, OSError) else error.message
            warn(
                f"an older bundle of {installed.name!r} will not be refused in another folder: "
                f"{folder} cannot be written ({reason})"
            )


def _add(installed: AcceptedBundle, folder: Path, *, sync: bool) -> None:
    with (
        own_folder.made(folder) as state,
        held(folder / _LOCKED, folder, on_wait=lambda: None),
    ):
        before = _read(state)
        after = before.having(installed)
        if after != before:
            state.write(accepted.FILE_NAME, accepted.serialize(after), sync=sync)


def _read(state: OpenFolder) -> Accepted:
    if not state.has(accepted.FILE_NAME):
        return Accepted()
    path = state.path / accepted.FILE_NAME
    try:
        return accepted.parse(state.read(accepted.FILE_NAME))
    except OSError as error:
        # Something exists there, whatever it is.
        raise _unreadable(path, error) from error
    except MalformedError as error:
        raise MalformedError(
            f"{path} cannot be understood, which says what was accepted here",
            hint="look at what is in it; to begin anew, put it aside: "
            f"mv {shlex.quote(os.fspath(path))} {shlex.quote(os.fspath(path))}.aside",
        ) from error


def _unreadable(path: Path, error: OSError) -> TransferError:
    return TransferError(
        f"{path} cannot be read: {error.strerror}",
        hint="it says which bundles were accepted here; see what it is: "
        f"ls -ld {shlex.quote(os.fspath(path))}",
    )
