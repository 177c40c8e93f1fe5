"""Verifies SSHSIG signatures with `cryptography`; the encodings are in the schemas.

Accepted are Ed25519, ECDSA on the three NIST curves, RSA of 2,048 bits and more with SHA-2, and
FIDO keys that were touched (PROTOCOL.sshsig, PROTOCOL.u2f).
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import Reader
from wheelferry_schemas.trust.sshsig import Signature

_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 16384
_USER_PRESENT = 0x01
_UNCOMPRESSED = b"\x04"
_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}
_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}


def check(signature: Signature, message: bytes, namespace: str) -> None:
    """Return if the signature was made over `message` in `namespace` by the key that it names.

    Does not judge whether the key is trusted. Raises `MalformedError` that says why the signature
    does not verify.
    """
    if signature.namespace != namespace:
        raise MalformedError(
            f"it was made for {signature.namespace!r}, not for bundles ({namespace})"
        )
    data = sshsig.signed_data(message, namespace, signature.hash_name)
    key = Reader(signature.key.blob)
    blob = Reader(signature.blob)
    key_type = _text(key)
    algorithm = _text(blob)
    try:
        if key_type == "ssh-ed25519":
            _expect(algorithm, key_type)
            _check_ed25519(key, blob.string(), data)
        elif key_type.startswith("ecdsa-sha2-"):
            _expect(algorithm, key_type)
            _check_ecdsa(key_type, key, blob.string(), data)
        elif key_type == "ssh-rsa":
            _check_rsa(key, algorithm, blob.string(), data)
        elif key_type in ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"):
            _expect(algorithm, key_type)
            _check_security_key(key_type, key, blob, data)
        else:
            raise MalformedError(f"keys of type {key_type!r} are not supported")
        blob.finish()
    except InvalidSignature as error:
        raise MalformedError("it does not match what was signed") from error
    except ValueError as error:
        raise MalformedError(f"its key is not a valid one: {error}") from error


def _text(reader: Reader) -> str:
    return reader.string().decode("ascii", "replace")


def _expect(algorithm: str, wanted: str) -> None:
    if algorithm != wanted:
        raise MalformedError(f"a key of type {wanted} does not sign with {algorithm!r}")


def _check_ed25519(key: Reader, signature: bytes, data: bytes) -> None:
    public = Ed25519PublicKey.from_public_bytes(key.string())
    key.finish()
    public.verify(signature, data)


def _check_ecdsa(key_type: str, key: Reader, signature: bytes, data: bytes) -> None:
    curve, hash_algorithm = _curve(key_type, _text(key))
    public = _point(curve, key.string())
    key.finish()
    numbers = Reader(signature)
    encoded = encode_dss_signature(numbers.mpint(), numbers.mpint())
    numbers.finish()
    public.verify(encoded, data, ec.ECDSA(hash_algorithm))


def _check_rsa(key: Reader, algorithm: str, signature: bytes, data: bytes) -> None:
    if algorithm not in _RSA_HASHES:
        raise MalformedError(f"RSA signatures must use SHA-2, this one uses {algorithm!r}")
    exponent, modulus = key.mpint(), key.mpint()
    key.finish()
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS:
        raise MalformedError(
            f"an RSA key of {modulus.bit_length()} bits; at least {_MIN_RSA_BITS} are required"
        )
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(signature, data, padding.PKCS1v15(), _RSA_HASHES[algorithm])


def _check_security_key(key_type: str, key: Reader, blob: Reader, data: bytes) -> None:
    """Check a FIDO signature: made over the hashes of application and data, flags and counter."""
    public: Ed25519PublicKey | ec.EllipticCurvePublicKey
    if key_type == "sk-ssh-ed25519@openssh.com":
        public = Ed25519PublicKey.from_public_bytes(key.string())
    else:
        curve, _ = _curve(key_type, _text(key))
        public = _point(curve, key.string())
    application = key.string()
    key.finish()
    signature = blob.string()
    flags = blob.take(1)
    counter = blob.take(4)
    if not flags[0] & _USER_PRESENT:
        raise MalformedError("the security key was not touched for this signature")
    signed = hashlib.sha256(application).digest() + flags + counter + hashlib.sha256(data).digest()
    if isinstance(public, Ed25519PublicKey):
        public.verify(signature, signed)
        return
    numbers = Reader(signature)
    encoded = encode_dss_signature(numbers.mpint(), numbers.mpint())
    numbers.finish()
    public.verify(encoded, signed, ec.ECDSA(hashes.SHA256()))


def _point(curve: ec.EllipticCurve, point: bytes) -> ec.EllipticCurvePublicKey:
    # OpenSSH accepts no compressed points; and two encodings would make two keys of one.
    if point[:1] != _UNCOMPRESSED:
        raise ValueError("its point is not written in full")
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def _curve(key_type: str, name: str) -> tuple[ec.EllipticCurve, hashes.HashAlgorithm]:
    if name not in _CURVES:
        raise MalformedError(f"curve {name!r} is not supported")
    if not key_type.removesuffix("@openssh.com").endswith(f"-{name}"):
        raise MalformedError(f"a key of type {key_type} is not on the curve {name!r}")
    return _CURVES[name]
