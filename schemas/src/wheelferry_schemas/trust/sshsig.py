"""SSHSIG, the signature format of `ssh-keygen -Y` (OpenSSH, PROTOCOL.sshsig)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import textwrap
from dataclasses import dataclass

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.trust.ssh_wire import PublicKey, Reader, string

NAMESPACE = "wheelferry.bundle.v1"
HASHES = frozenset({"sha256", "sha512"})
_MAGIC = b"SSHSIG"
_VERSION = 1
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_LINE_WIDTH = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A decoded signature; nothing is verified yet.

    `blob` is the signature proper in SSH's encoding: algorithm name, then what that defines.
    """

    key: PublicKey
    namespace: str
    hash_name: str
    blob: bytes


def signed_data(message: bytes, namespace: str, hash_name: str) -> bytes:
    """Return the bytes that the key signs: the hash of the message, in context."""
    digest = hashlib.new(hash_name, message).digest()
    return (
        _MAGIC
        + string(namespace.encode())
        + string(b"")
        + string(hash_name.encode())
        + string(digest)
    )


def encode(signature: Signature) -> bytes:
    """Return the armored signature, as `ssh-keygen -Y sign` writes it."""
    blob = (
        _MAGIC
        + _VERSION.to_bytes(4, "big")
        + string(signature.key.blob)
        + string(signature.namespace.encode())
        + string(b"")
        + string(signature.hash_name.encode())
        + string(signature.blob)
    )
    text = base64.b64encode(blob).decode("ascii")
    return "\n".join((_BEGIN, *textwrap.wrap(text, _LINE_WIDTH), _END, "")).encode("ascii")


def decode(armored: bytes) -> Signature:
    """Read an armored signature strictly.

    Raises `MalformedError` for text around the armor, trailing bytes, a version other than 1, a
    reserved field that is not empty or an unknown hash.
    """
    try:
        return _decode_blob(_unarmor(armored))
    except MalformedError as error:
        raise MalformedError(f"not an SSH signature: {error.message}") from error


def _unarmor(armored: bytes) -> bytes:
    try:
        lines = armored.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("it is not ASCII") from error
    if len(lines) < 4 or lines[0] != _BEGIN or lines[-2:] != [_END, ""]:
        raise MalformedError("its first or last line is not that of a signature")
    body = lines[1:-2]
    if any(not line or len(line) > 76 for line in body):
        raise MalformedError("a line in it is empty or too long")
    text = "".join(body)
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("it is not base64") from error
    # The last character may hold bits that decode to nothing (RFC 4648, section 3.5).
    if base64.b64encode(blob).decode("ascii") != text:
        raise MalformedError("it is not base64 in its one canonical form")
    return blob


def _decode_blob(blob: bytes) -> Signature:
    reader = Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise MalformedError("it does not begin with SSHSIG")
    version = reader.uint32()
    if version != _VERSION:
        raise MalformedError(f"it has version {version}, expected {_VERSION}")
    key = PublicKey(reader.string())
    namespace = reader.string()
    reserved = reader.string()
    hash_name = reader.string().decode("ascii", "replace")
    signature = reader.string()
    reader.finish()
    if reserved:
        raise MalformedError("its reserved field is not empty")
    if hash_name not in HASHES:
        raise MalformedError(f"it uses the hash {hash_name!r}, only sha256 and sha512 are allowed")
    try:
        return Signature(key=key, namespace=namespace.decode(), hash_name=hash_name, blob=signature)
    except UnicodeDecodeError as error:
        raise MalformedError("its namespace is not UTF-8") from error
