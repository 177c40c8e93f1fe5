"""Whom this host trusts, and what a bundle is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.api.defaults import clock, silent
from wheelferry_installer.plan.install_options import Progress
from wheelferry_schemas.errors import in_families

if TYPE_CHECKING:
    from wheelferry_installer.plan.bundle_changes import Comparison
    from wheelferry_installer.verify.bundle_facts import BundleFacts
    from wheelferry_installer.verify.policy import Policy
    from wheelferry_installer.verify.trust_store import TrustedSigner
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_installer.wheel.startup import StartupFile


@in_families
def load_policy(
    allowed_signers: Path | None = None, *, require_signatures: int | None = None
) -> Policy:
    """Read whom this host trusts: the list that is named, else the user's, and the system's.

    Raises `TrustError` where there is no list, and where a file cannot be believed.
    """
    from wheelferry_installer.verify import policy

    return policy.load_policy(allowed_signers, require_signatures)


@in_families
def read_key(key_file: Path, *, name: str | None = None, system: bool = False) -> TrustedSigner:
    """Return who `trust_key` would trust, for a person to confirm; raises as that does."""
    from wheelferry_installer.verify import trust_store

    return trust_store.read_key(key_file, name, system=system)


@in_families
def trust_key(
    key_file: Path,
    *,
    name: str | None = None,
    system: bool = False,
    fingerprint: str | None = None,
) -> TrustedSigner:
    """Accept bundles that a public key signed, and return who that is.

    `name` is by default the comment in the file; `system` changes the list of all users. Raises
    `TrustError` where the key is revoked, would not count, or has another `fingerprint`, and
    `ConflictError` where another key has that name.
    """
    from wheelferry_installer.verify import trust_store

    signer = trust_store.read_key(key_file, name, system=system)
    trust_store.trust(signer, fingerprint, system=system)
    return signer


@in_families
def distrust(name_or_fingerprint: str, *, system: bool = False) -> tuple[TrustedSigner, ...]:
    """No longer accept bundles of whoever has that name or fingerprint; returns who that was."""
    from wheelferry_installer.verify import trust_store

    return trust_store.distrust(name_or_fingerprint, system=system)


@in_families
def read(bundle: Path, policy: Policy | None = None, *, now: int | None = None) -> BundleFacts:
    """Read the manifest of a bundle and judge its signatures, and nothing else; refuses nobody.

    Without a policy every key is unknown.
    """
    from wheelferry_installer.verify.bundle_facts import read_facts

    return read_facts(bundle, policy, clock(now))


@in_families
def read_sbom(bundle: Path) -> bytes:
    """Return the SBOM of a bundle (CycloneDX JSON), whoever signed that."""
    from wheelferry_installer.verify import bundle_facts

    return bundle_facts.read_sbom(bundle)


@in_families
def compare(old: Path, new: Path) -> Comparison:
    """Return what a newer bundle changes, by the manifests; who signed them is not looked at."""
    from wheelferry_installer.plan import bundle_changes
    from wheelferry_installer.verify.bundle_facts import read_manifest

    return bundle_changes.compare(read_manifest(old), read_manifest(new))


@in_families
def verify(
    bundle: Path,
    policy: Policy,
    *,
    now: int | None = None,
    deep: bool = False,
    allow_future: bool = False,
    on_progress: Progress | None = None,
) -> VerifiedBundle:
    """Verify the signatures, the manifest and the layout of a bundle; a context manager.

    What is taken out of it later is checked then. `deep` checks every byte at once. The policy
    `ACCEPT_UNSIGNED` asks for no signature. Raises `TrustError`, `MalformedError`, and
    `OutdatedError` where the bundle has expired or, without `allow_future`, is dated ahead.
    """
    from wheelferry_installer.verify.archive_reader import open_bundle
    from wheelferry_installer.verify.policy import refuse_below_floor
    from wheelferry_installer.verify.verification import verify as verify_opened

    opened = open_bundle(bundle)
    try:
        if policy.lenient:
            refuse_below_floor()
        verified = verify_opened(opened, policy, clock(now), allow_future=allow_future)
        if deep:
            check_contents(verified, on_progress=on_progress)
    except BaseException:
        opened.archive.close()
        raise
    return verified


@in_families
def check_contents(
    bundle: VerifiedBundle, *, on_progress: Progress | None = None
) -> tuple[StartupFile, ...]:
    """Check every byte of a bundle; returns what Python would run of it by itself.

    Raises `MalformedError` that names everything that is damaged.
    """
    from wheelferry_installer.verify.verification import verify_contents

    return tuple(verify_contents(bundle, bundle.manifest.packages, on_progress or silent))
