"""Who this host trusts: an allowed_signers file, looked for where its owner would put it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from wheelferry_schemas import allowed_signers
from wheelferry_schemas.allowed_signers import AllowedSigner
from wheelferry_schemas.errors import MalformedError, TransferError, TrustError

SYSTEM_FOLDER = Path("/etc/wheelferry")
_ADVICE = "ask whoever made the bundle for their public key, then: bundle trust add alice.pub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The signers that this host accepts, and the file that says so."""

    path: Path
    signers: tuple[AllowedSigner, ...]


def user_file() -> Path:
    """Return this user's own list, which `bundle trust` edits."""
    return Path(click.get_app_dir("wheelferry")) / allowed_signers.FILE_NAME


def load_policy(explicit: Path | None) -> Policy:
    """Read the list that `--allowed-signers` names, else the user's, else the system's.

    Raises `TrustError` where there is none or where it lists nobody, `MalformedError` where it
    cannot be understood.
    """
    candidates = (
        [explicit] if explicit else [user_file(), SYSTEM_FOLDER / allowed_signers.FILE_NAME]
    )
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        where = " or ".join(str(path) for path in candidates)
        raise TrustError(
            f"this host does not know whom to trust: there is no {where}", hint=_ADVICE
        )
    signers = read_signers(path)
    if not signers:
        raise TrustError(f"{path} lists nobody", hint=_ADVICE)
    return Policy(path=path, signers=signers)


def read_signers(path: Path) -> tuple[AllowedSigner, ...]:
    """Read an allowed_signers file; raises `MalformedError`, `TransferError`."""
    try:
        return allowed_signers.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path} is not a text file") from error
    except MalformedError as error:
        raise MalformedError(
            f"{path}: {error.message}", hint=error.hint, details=error.details
        ) from error
