"""Signatures put together by hand, over one message."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wheelferry_installer.verify import signatures
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import PublicKey, string
from wheelferry_schemas.trust.sshsig import NAMESPACE, Signature

MESSAGE = b'{\n  "format": 1\n}\n'


def mpint(number: int) -> bytes:
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def signature_of(key: bytes, blob: bytes, *, hash_name: str = "sha512") -> Signature:
    return Signature(key=PublicKey(key), namespace=NAMESPACE, hash_name=hash_name, blob=blob)


def signed_data(hash_name: str = "sha512") -> bytes:
    return sshsig.signed_data(MESSAGE, NAMESPACE, hash_name)


def refusal_of(signature: Signature, message: bytes = MESSAGE) -> str:
    with pytest.raises(MalformedError) as caught:
        signatures.check(signature, message, NAMESPACE)
    return caught.value.message


def point_of(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
