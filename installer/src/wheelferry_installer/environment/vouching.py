"""Compares a receipt with the manifest and the signatures stored beside it.

This proves who signed, if the policy of this host knows the key. It does not prove that the
installed files are those of the signed wheels: only RECORD and receipt say so, and whoever can
write to the environment can rewrite both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.plan.doubts import fingerprint_of, packages_agree
from wheelferry_installer.system import open_folder
from wheelferry_installer.system.open_folder import NotPlainError, OpenFolder
from wheelferry_installer.verify.policy import UNKNOWN_KEY, Policy, SignatureVerdict
from wheelferry_installer.verify.verification import judge_stored
from wheelferry_schemas.bundle import layout, manifest
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """The verdicts on the signatures of the stored manifest.

    `problems` are where the receipt contradicts manifest and signatures.
    """

    signers: tuple[SignatureVerdict, ...]
    problems: tuple[str, ...]

    @property
    def accepted(self) -> tuple[SignatureVerdict, ...]:
        """The signatures that this host accepts."""
        return tuple(signer for signer in self.signers if signer.problem is None)


def vouch(
    folder: Path, receipt: Receipt, policy: Policy | None, now: int, *, whole: bool
) -> Vouched:
    """Return which parts of a receipt the manifest and signatures in its folder confirm.

    Packages are compared only if the bundle made the `whole` environment: elsewhere a receipt
    accumulates the packages of several bundles.
    """
    with open_folder.opened(folder) as opened:
        stored = _read(opened, layout.MANIFEST)
        signatures = dict(_signatures(opened))
    problems = []
    if hashlib.sha256(stored).hexdigest() != receipt.manifest_sha256:
        problems.append("the manifest in it is not the one that its receipt names")
    valid = {
        signer.fingerprint
        for signer in judge_stored(stored, signatures, None, now)
        if signer.problem == UNKNOWN_KEY
    }
    problems += [
        f"its receipt says that {signer} signed, whose signature does not lie there"
        for signer in receipt.signers
        if fingerprint_of(signer) not in valid
    ]
    if whole and not problems:
        problems += _contradictions(stored, receipt)
    return Vouched(signers=judge_stored(stored, signatures, policy, now), problems=tuple(problems))


def stored_manifest(folder: Path) -> bytes:
    """Return the manifest in a receipt's folder, empty if there is none."""
    with open_folder.opened(folder) as opened:
        return _read(opened, layout.MANIFEST)


def _contradictions(stored: bytes, receipt: Receipt) -> list[str]:
    try:
        read = manifest.parse(stored)
    except MalformedError as error:
        return [f"the manifest in it cannot be read: {error.message}"]
    if not packages_agree(receipt, read.packages_for(receipt.target)):
        return ["its receipt lists other packages than the manifest in it"]
    return []


def _signatures(opened: OpenFolder) -> Iterator[tuple[str, bytes]]:
    for number in range(1, layout.MAX_SIGNATURES + 1):
        name = layout.signature_name(number)
        if not opened.has(name):
            return
        yield name, _read(opened, name)


def _read(opened: OpenFolder, name: str) -> bytes:
    try:
        return opened.read(name)
    except (FileNotFoundError, NotADirectoryError, NotPlainError):
        return b""
