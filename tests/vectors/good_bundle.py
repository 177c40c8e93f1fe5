"""A good bundle frame by frame, for vectors to change one thing of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from support.making.archives import join_plain, member
from support.making.bundles import make_manifest
from support.making.wheels import TinyWheel, make_wheel
from support.running.ssh import fixed_key
from vectors.vector import Vector
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import serialize
from wheelferry_schemas.trust import allowed_signers

REQUIREMENTS = b"# made by hand\n"
BUNDLE = "bundle.tar.zst"
SIGNERS = "allowed_signers"
MANIFEST_FRAME, SIGNATURE_FRAME, DOCUMENT_FRAME, FIRST_WHEEL, SECOND_WHEEL, END_FRAME = range(6)


@functools.cache
def alice() -> SigningKey:
    """The one whom the host trusts."""
    return fixed_key("alice")


@functools.cache
def mallory() -> SigningKey:
    """The one whom it does not."""
    return fixed_key("mallory")


@functools.cache
def wheels() -> tuple[TinyWheel, ...]:
    return make_wheel("other"), make_wheel("pure")


@functools.cache
def manifest() -> bytes:
    return serialize(make_manifest(wheels(), documents={"requirements.txt": REQUIREMENTS}))


def signature_members(*armored: bytes) -> list[bytes]:
    return [
        member(layout.signature_name(number), data) for number, data in enumerate(armored, start=1)
    ]


def plain_frames(
    manifest_bytes: bytes | None = None, signatures: Sequence[bytes] | None = None
) -> list[bytes]:
    """Return what the frames hold; the manifest is signed by alice unless signatures are given."""
    data = manifest() if manifest_bytes is None else manifest_bytes
    armored = [alice().sign(data)] if signatures is None else signatures
    return [
        member("manifest.json", data),
        *signature_members(*armored),
        member("requirements.txt", REQUIREMENTS),
        *(member(layout.wheel_name(wheel.file_name), wheel.data) for wheel in wheels()),
        layout.END_OF_ARCHIVE,
    ]


def trusting(*keys: SigningKey) -> bytes:
    """Return an allowed_signers file that lists these keys."""
    return "".join(allowed_signers.entry(key.name, key.public) for key in keys).encode()


def host(bundle: bytes) -> dict[str, bytes]:
    """Return the files of a host that trusts alice and got this bundle."""
    return {BUNDLE: bundle, SIGNERS: trusting(alice())}


def hostile_bundle(name: str, words: str, make: Callable[[], bytes], *, code: int = 4) -> Vector:
    """Return the vector of a bundle on a host that trusts alice."""
    return Vector(name=name, code=code, words=words, files=lambda: host(make()))


@functools.cache
def good_bundle() -> bytes:
    return join_plain(plain_frames())
