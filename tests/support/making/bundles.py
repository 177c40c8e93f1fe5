"""Bundles made straight from wheels, without a lock or a network."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packaging.utils import parse_wheel_filename

from support.making.wheels import TinyWheel
from wheelferry_bundler.fetch.python_archives import PythonFile
from wheelferry_bundler.read.targets import PythonVersion, host_platform_name, make_target
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_bundler.write.archive_writer import write_archive
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import (
    Document,
    MadeFrom,
    Manifest,
    Package,
    PythonArchive,
    Source,
    serialize,
)
from wheelferry_schemas.fields import format_timestamp
from wheelferry_schemas.target import Target
from wheelferry_schemas.trust import allowed_signers

CREATED = 1_700_000_000
"""When test bundles say that they were made, in seconds since the epoch."""


def make_key(name: str = "alice") -> SigningKey:
    """Make a key in memory."""
    return SigningKey(private=Ed25519PrivateKey.generate(), name=name)


def trust(path: Path, *keys: SigningKey) -> Path:
    """Write an allowed_signers file that lists these keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [allowed_signers.entry(key.name, key.public) for key in keys]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def host_target() -> Target:
    """Return the target that the running interpreter is."""
    patch = int(platform.python_version_tuple()[2].rstrip("+"))
    return make_target(
        parse_platform(host_platform_name()),
        PythonVersion(minor=sys.version_info.minor, patch=patch),
    )


def make_manifest(
    wheels: Sequence[TinyWheel],
    targets: Sequence[Target] = (),
    documents: dict[str, bytes] | None = None,
    roots: Sequence[str] = (),
    pythons: Sequence[PythonArchive] = (),
) -> Manifest:
    """Return the manifest of a bundle of these wheels, each for all targets that it fits."""
    targets = tuple(targets) or (host_target(),)
    packages = []
    for wheel in sorted(wheels, key=lambda wheel: wheel.file_name):
        name, version, _, tags = parse_wheel_filename(wheel.file_name)
        packages.append(
            Package(
                name=name,
                version=str(version),
                wheel=wheel.file_name,
                sha256=wheel.sha256,
                size=wheel.size,
                license=None,
                dependencies=(),
                source=Source(
                    kind="registry",
                    location="https://index.example/simple",
                    built=False,
                    built_from=None,
                    commit=None,
                ),
                targets=tuple(sorted(t.id for t in targets if not tags.isdisjoint(set(t.tags())))),
            )
        )
    return Manifest(
        format=1,
        name="demo",
        version="1.0",
        created=format_timestamp(CREATED),
        expires=None,
        tool="wheelferry tests",
        made_from=MadeFrom(kind="uv.lock", name="uv.lock", sha256="0" * 64, options=()),
        targets=tuple(sorted(targets, key=lambda target: target.id)),
        roots=tuple(sorted(roots)),
        packages=tuple(packages),
        documents=tuple(
            Document(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for name, data in sorted((documents or {}).items())
        ),
        pythons=tuple(pythons),
    )


def make_bundle(
    path: Path,
    wheels: Sequence[TinyWheel],
    *,
    keys: Sequence[SigningKey] = (),
    targets: Sequence[Target] = (),
    documents: dict[str, bytes] | None = None,
    roots: Sequence[str] = (),
    pythons: Sequence[PythonFile] = (),
    **changes: object,
) -> Path:
    """Write a bundle of these wheels, signed by `keys`; returns its path.

    `changes` are other values for fields of the manifest.
    """
    documents = {"requirements.txt": b"# tests\n"} if documents is None else documents
    archives = [python.archive for python in pythons]
    manifest = make_manifest(wheels, targets, documents, roots, archives).replaced(**changes)
    data = serialize(manifest)
    contents: dict[str, bytes | Path] = dict(documents)
    contents |= {layout.python_name(python.archive.name): python.path for python in pythons}
    folder = path.parent / f"{path.name}.wheels"
    for wheel in wheels:
        contents[layout.wheel_name(wheel.file_name)] = wheel.write(folder)
    write_archive(
        path, manifest, data, [key.sign(data) for key in keys], contents, lambda _size: None
    )
    return path
