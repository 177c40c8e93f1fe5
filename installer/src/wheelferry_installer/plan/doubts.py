"""Decides whether an environment is what its receipt says; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wheelferry_schemas.bundle.manifest import Package
from wheelferry_schemas.display import count
from wheelferry_schemas.receipt import Receipt

if TYPE_CHECKING:
    from wheelferry_installer.environment.present import Evidence
    from wheelferry_installer.verify.verification import VerifiedBundle


def doubts(
    receipt: Receipt, evidence: Evidence, bundle: VerifiedBundle, packages: Sequence[Package]
) -> Iterator[str]:
    """Yield why an environment is not what a bundle would produce although its receipt says so."""
    if evidence.foreign is not None:
        yield f"it {evidence.foreign.text}"
    if not packages_agree(receipt, packages):
        yield "its receipt lists other packages than the bundle has"
    fingerprints = {signer.fingerprint for signer in bundle.signers}
    strangers = [signer for signer in receipt.signers if fingerprint_of(signer) not in fingerprints]
    if strangers:
        yield f"its receipt says that {strangers[0]} signed the bundle, who did not"
    if evidence.manifest != bundle.manifest_bytes:
        yield "the manifest in it is not that of the bundle"
    findings = evidence.findings
    for what, paths in (("missing", findings.missing), ("edited", findings.changed)):
        if paths:
            yield f"{count(len(paths), 'file')} {what}, such as {paths[0]}"


def packages_agree(receipt: Receipt, packages: Sequence[Package]) -> bool:
    """Return whether a receipt lists these packages of a manifest."""
    listed = sorted((package.name, package.version, package.wheel) for package in receipt.packages)
    return listed == sorted((package.name, package.version, package.wheel) for package in packages)


def fingerprint_of(signer: str) -> str:
    """Return the fingerprint in a receipt's entry for a signer."""
    return signer.rpartition(" ")[2]
