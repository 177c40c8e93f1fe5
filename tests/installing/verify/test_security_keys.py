import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.making.signatures import (
    MESSAGE,
    mpint,
    point_of,
    refusal_of,
    signature_of,
    signed_data,
)
from support.running.ssh import openssh_accepts
from wheelferry_installer.verify import signatures
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import string
from wheelferry_schemas.trust.sshsig import NAMESPACE, Signature

TOUCHED = b"\x01"
APPLICATION = b"ssh:"


def _sk_ed25519(flags: bytes, tail: bytes = b"", application: bytes = APPLICATION) -> Signature:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    counter = (7).to_bytes(4, "big")
    data = hashlib.sha256(signed_data()).digest()
    signed = private.sign(hashlib.sha256(APPLICATION).digest() + flags + counter + data)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = string(b"sk-ssh-ed25519@openssh.com")
    return signature_of(
        name + string(raw) + string(application), name + string(signed) + flags + counter + tail
    )


def _sk_ecdsa(flags: bytes) -> Signature:
    private = ec.derive_private_key(5, ec.SECP256R1())
    counter = (7).to_bytes(4, "big")
    data = hashlib.sha256(signed_data()).digest()
    r, s = decode_dss_signature(
        private.sign(
            hashlib.sha256(APPLICATION).digest() + flags + counter + data,
            ec.ECDSA(hashes.SHA256()),
        )
    )
    name = string(b"sk-ecdsa-sha2-nistp256@openssh.com")
    return signature_of(
        name + string(b"nistp256") + string(point_of(private)) + string(APPLICATION),
        name + string(mpint(r) + mpint(s)) + flags + counter,
    )


SECURITY_KEYS = {"ed25519": _sk_ed25519, "ecdsa": _sk_ecdsa}


@pytest.mark.parametrize("kind", SECURITY_KEYS)
def test_accepts_security_key_as_openssh_does(tmp_path: Path, kind: str) -> None:
    signature = SECURITY_KEYS[kind](TOUCHED)
    signatures.check(signature, MESSAGE, NAMESPACE)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"alice {signature.key.line()}\n")
    assert openssh_accepts(signers, "alice", MESSAGE, sshsig.encode(signature), NAMESPACE)


@pytest.mark.parametrize("kind", SECURITY_KEYS)
def test_accepts_security_key_that_asked_for_a_pin(kind: str) -> None:
    signatures.check(SECURITY_KEYS[kind](b"\x05"), MESSAGE, NAMESPACE)


@pytest.mark.parametrize("kind", SECURITY_KEYS)
@pytest.mark.parametrize("flags", [b"\x00", b"\x04"])
def test_refuses_security_key_that_was_not_touched(kind: str, flags: bytes) -> None:
    said = refusal_of(SECURITY_KEYS[kind](flags))
    assert said == "the security key was not touched for this signature"


@pytest.mark.parametrize("kind", SECURITY_KEYS)
def test_touch_is_part_of_what_was_signed(kind: str) -> None:
    signature = SECURITY_KEYS[kind](b"\x00")
    blob = signature.blob[:-5] + TOUCHED + signature.blob[-4:]
    said = refusal_of(signature_of(signature.key.blob, blob))
    assert said == "it does not match what was signed"


@pytest.mark.parametrize("kind", SECURITY_KEYS)
def test_counter_is_part_of_what_was_signed(kind: str) -> None:
    signature = SECURITY_KEYS[kind](TOUCHED)
    said = refusal_of(signature_of(signature.key.blob, signature.blob[:-1] + b"\x08"))
    assert said == "it does not match what was signed"


def test_application_is_part_of_what_was_signed() -> None:
    said = refusal_of(_sk_ed25519(TOUCHED, application=b"web:"))
    assert said == "it does not match what was signed"


def test_refuses_bytes_after_the_counter() -> None:
    assert "bytes follow its end" in refusal_of(_sk_ed25519(TOUCHED, tail=b"x"))


def test_refuses_security_key_signature_cut_short() -> None:
    signature = _sk_ed25519(TOUCHED)
    assert "past its end" in refusal_of(signature_of(signature.key.blob, signature.blob[:-1]))
