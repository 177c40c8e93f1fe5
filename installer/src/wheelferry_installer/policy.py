"""Who this host trusts, and how many of them have to sign.

A policy is a folder: `allowed_signers` (OpenSSH's format) and, where there is need of them,
`revoked_keys` (public keys, one a line) and `policy.ini` (`[policy]`, `require-signatures = 2`).
The user's folder comes before `/etc/wheelferry`; but keys revoked in either are revoked, and the
higher number of signatures holds. Files that others may write are refused: they state nothing.
"""

from __future__ import annotations

import configparser
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from wheelferry_schemas import allowed_signers
from wheelferry_schemas.allowed_signers import AllowedSigner
from wheelferry_schemas.errors import MalformedError, TransferError, TrustError, UsageError
from wheelferry_schemas.ssh_wire import PublicKey

SYSTEM_FOLDER = Path("/etc/wheelferry")
REVOKED_KEYS = "revoked_keys"
SETTINGS = "policy.ini"
MAX_REQUIRED = 16
UNKNOWN_KEY = "this host does not know the key"
_ADVICE = "ask whoever made the bundle for their public key, then: bundle trust add alice.pub"
_SETTINGS_ADVICE = "it holds two lines: [policy] and require-signatures = 2"
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The signers that this host accepts, and the file that lists them.

    `revoked` keys count nowhere; `required` is how many distinct keys have to sign.
    """

    path: Path
    signers: tuple[AllowedSigner, ...]
    revoked: frozenset[PublicKey] = frozenset()
    required: int = 1

    def refusal(self, key: PublicKey, namespace: str, now: int) -> tuple[str | None, str | None]:
        """Return whom a key belongs to, and why it is not accepted now; None where it is."""
        known = [signer for signer in self.signers if signer.key == key]
        if key in self.revoked:
            return (known[0].principals if known else None), "the key is revoked"
        if not known:
            return None, UNKNOWN_KEY
        refusals = [signer.refusal(namespace, now) for signer in known]
        if None in refusals:
            return known[refusals.index(None)].principals, None
        return known[0].principals, refusals[0]


def user_file() -> Path:
    """Return this user's own list, which `bundle trust` edits."""
    return _user_folder() / allowed_signers.FILE_NAME


def load_policy(explicit: Path | None, required: int | None = None) -> Policy:
    """Read the list that `--allowed-signers` names, else the user's, else the system's.

    `required` is the user's `--require-signatures`, which can raise what `policy.ini` asks for but
    not lower it. Raises `TrustError` where there is no list, where it lists nobody, or where
    others may write it; `MalformedError` where it cannot be understood.
    """
    folders = [_user_folder(), SYSTEM_FOLDER]
    candidates = [explicit] if explicit else [f / allowed_signers.FILE_NAME for f in folders]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        where = " or ".join(str(path) for path in candidates)
        raise TrustError(
            f"this host does not know whom to trust: there is no {where}", hint=_ADVICE
        )
    signers = read_signers(path)
    if not signers:
        raise TrustError(f"{path} lists nobody", hint=_ADVICE)
    if explicit is not None:
        folders.append(explicit.parent)
    return Policy(
        path=path,
        signers=signers,
        revoked=frozenset(key for folder in folders for key in _read_revoked(folder)),
        required=max(required or 1, *(_required(folder) for folder in folders)),
    )


def read_signers(path: Path) -> tuple[AllowedSigner, ...]:
    """Read an allowed_signers file; raises `TrustError`, `MalformedError`, `TransferError`."""
    text = _read(path)
    try:
        return allowed_signers.parse(text)
    except MalformedError as error:
        raise MalformedError(
            f"{path}: {error.message}", hint=error.hint, details=error.details
        ) from error


def _user_folder() -> Path:
    return Path(click.get_app_dir("wheelferry"))


def _read_revoked(folder: Path) -> list[PublicKey]:
    path = folder / REVOKED_KEYS
    if not path.is_file():
        return []
    try:
        return [
            allowed_signers.parse_key_file(line)[0]
            for line in _read(path).splitlines()
            if line.strip() and not line.startswith("#")
        ]
    except MalformedError as error:
        raise MalformedError(
            f"{path}: {error.message}", hint="list one public key on each line"
        ) from error


def _required(folder: Path) -> int:
    path = folder / SETTINGS
    if not path.is_file():
        return 1
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string(_read(path))
        unknown = {(s, o) for s in config.sections() for o in config.options(s)} - {
            ("policy", "require-signatures")
        }
        required = config.getint("policy", "require-signatures", fallback=None)
    except (configparser.Error, ValueError) as error:
        raise MalformedError(f"{path} cannot be read: {error}", hint=_SETTINGS_ADVICE) from error
    if unknown:
        names = ", ".join(f"[{section}] {option}" for section, option in sorted(unknown))
        raise MalformedError(f"{path} sets what is not known: {names}", hint=_SETTINGS_ADVICE)
    if required is None:
        raise MalformedError(
            f"{path} does not say how many signatures it asks for", hint=_SETTINGS_ADVICE
        )
    if not 1 <= required <= MAX_REQUIRED:
        raise UsageError(f"{path}: require-signatures is not 1 to {MAX_REQUIRED}")
    return required


def _read(path: Path) -> str:
    """Return the text of a policy's file; raises `TrustError` where others may write it."""
    try:
        status = path.stat()
        if sys.platform != "win32":
            if status.st_mode & _WRITABLE_BY_OTHERS:
                raise TrustError(
                    f"{path} may be written by others, so it says nothing about whom you trust",
                    hint=f"chmod go-w {path}; and check what is in it: bundle trust list",
                )
            if status.st_uid not in (0, os.geteuid()):
                raise TrustError(
                    f"{path} belongs to another user, so it says nothing about whom you trust",
                    hint=f"make it yours or root's, and check what is in it: {path}",
                )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path} is not a text file") from error
