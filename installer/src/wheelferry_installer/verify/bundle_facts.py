"""Reads what a bundle says of itself, for whoever has to let it pass: its head alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.policy import ACCEPT_UNSIGNED, Policy, SignatureVerdict
from wheelferry_installer.verify.verification import judge_signatures, verify
from wheelferry_schemas.bundle import manifest
from wheelferry_schemas.bundle.layout import SBOM
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.display import human_size
from wheelferry_schemas.errors import MalformedError, WheelferryError

_MAX_SBOM = 64 * 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """The manifest of a bundle, and a verdict on each signature over it. Nothing was refused."""

    path: Path
    manifest: Manifest
    signers: tuple[SignatureVerdict, ...]


def read_facts(path: Path, policy: Policy | None, now: int) -> BundleFacts:
    """Read the head of a bundle; without a policy every key is unknown."""
    opened = open_bundle(path)
    try:
        return BundleFacts(
            path=path,
            signers=judge_signatures(opened, policy, now),
            manifest=manifest.parse(opened.head.manifest.content),
        )
    finally:
        opened.archive.close()


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a bundle, whoever signed it."""
    opened = open_bundle(path)
    opened.archive.close()
    return manifest.parse(opened.head.manifest.content)


def read_sbom(path: Path) -> bytes:
    """Return the SBOM of a bundle after checking it against the manifest, whoever signed that."""
    opened = open_bundle(path)
    try:
        checked = verify(opened, ACCEPT_UNSIGNED, 0, allow_future=True)
        member = next((m for m in checked.members if m.name == SBOM), None)
        if member is None:
            raise WheelferryError("the bundle holds no SBOM", hint="see: bundle show --licenses")
        if member.size > _MAX_SBOM:
            raise MalformedError(
                f"{SBOM} is larger than {human_size(_MAX_SBOM)}",
                hint="no list of packages is so long",
            )
        parts: list[bytes] = []
        checked.read(member, lambda piece: parts.append(bytes(piece)))
        return b"".join(parts)
    finally:
        opened.archive.close()
