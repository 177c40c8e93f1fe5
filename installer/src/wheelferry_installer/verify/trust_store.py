"""The list of who may sign bundles for this host, and how it is changed."""

from __future__ import annotations

import os
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.verify.policy import (
    read_revoked,
    read_signers,
    system_file,
    user_file,
)
from wheelferry_installer.verify.policy_files import read_text
from wheelferry_schemas.errors import ConflictError, TransferError, TrustError, UsageError
from wheelferry_schemas.trust import allowed_signers
from wheelferry_schemas.trust.ssh_wire import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedSigner:
    """Somebody who may sign, or who would be once their key is trusted; `path` is the list.

    `is_listed` where the key was trusted before.
    """

    name: str
    key: PublicKey
    path: Path
    is_listed: bool

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key, as OpenSSH shows it."""
        return self.key.fingerprint


def read_key(key_file: Path, name: str | None, *, system: bool) -> TrustedSigner:
    """Return who a public key belongs to; raises where it would not count, or is revoked."""
    try:
        key, comment = allowed_signers.parse_key_file(key_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TransferError(
            f"{key_file} cannot be read: {error}", hint="name the public key: alice.pub"
        ) from error
    name = name or comment or None
    if name is None:
        raise UsageError(f"{key_file} does not say whose key it is", hint="pass --name alice")
    # A name that cannot stand in the list is refused now, not when it is written.
    allowed_signers.entry(name, key)
    path = _list(system=system)
    known, floor = read_signers(path), read_signers(system_file())
    _refuse_revoked(name, key)
    if floor and not system and all(signer.key != key for signer in floor):
        raise TrustError(
            f"the key of {name} would not count: {system_file()} says who may sign for all users "
            "of this host, and does not list it",
            hint=f"as root: bundle trust add --system {shlex.quote(os.fspath(key_file))}",
        )
    is_listed = any(signer.key == key for signer in (*known, *floor))
    if not is_listed and any(signer.principals == name for signer in known):
        raise ConflictError(
            f"{path} has another key of {name}",
            hint=f"first: bundle trust remove {'--system ' if system else ''}{shlex.quote(name)}; "
            "or tell them apart with --name",
        )
    return TrustedSigner(name=name, key=key, path=path, is_listed=is_listed)


def trust(signer: TrustedSigner, fingerprint: str | None, *, system: bool) -> None:
    """Add a signer to the list, unless the key is there.

    Raises `TrustError` where the key does not have the fingerprint that was confirmed.
    """
    if fingerprint is not None and signer.fingerprint != fingerprint:
        raise TrustError(
            f"the key of {signer.name} has another fingerprint than the one that was confirmed",
            details=[f"confirmed: {fingerprint}", f"in the file: {signer.fingerprint}"],
            hint="get the public key again, and confirm its fingerprint with its owner",
        )
    if signer.is_listed:
        return
    text = read_text(signer.path) or ""
    separator = "" if not text or text.endswith("\n") else "\n"
    line = allowed_signers.entry(signer.name, signer.key)
    _write(signer.path, f"{text}{separator}{line}", for_all=system)


def distrust(who: str, *, system: bool) -> tuple[TrustedSigner, ...]:
    """Remove whoever has a name or a fingerprint from the list; raises `UsageError` for nobody."""
    path = _list(system=system)
    gone = [s for s in read_signers(path) if who in (s.principals, s.key.fingerprint)]
    if not gone:
        everywhere = [
            s for s in read_signers(system_file()) if who in (s.principals, s.key.fingerprint)
        ]
        hint = "see: bundle trust list"
        if everywhere:
            hint = f"{system_file()} does; as root: bundle trust remove --system {shlex.quote(who)}"
        raise UsageError(f"{path} does not list {who!r}", hint=hint)
    text = read_text(path) or ""
    _write(path, allowed_signers.without(text, [s.key for s in gone]), for_all=system)
    return tuple(
        TrustedSigner(name=s.principals, key=s.key, path=path, is_listed=False) for s in gone
    )


def _list(*, system: bool) -> Path:
    return system_file() if system else user_file()


def _refuse_revoked(name: str, key: PublicKey) -> None:
    for revoked in read_revoked():
        if revoked.key == key:
            raise TrustError(
                f"the key of {name} is revoked: {revoked.path} lists it",
                hint="ask for the public half of the new key",
            )


def _write(path: Path, text: str, *, for_all: bool) -> None:
    """Replace the list as a whole: a list cut short would trust too few, or nobody."""
    path = Path(os.path.realpath(path))
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o755 if for_all else 0o700)
            path.parent.chmod(0o755 if for_all else 0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(name, 0o644 if for_all else 0o600)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise TransferError(
            f"{path} could not be written: {error.strerror}",
            hint="run it as root" if for_all else "is the folder yours, and the disk not full?",
        ) from error
