"""SSH's binary encoding (RFC 4251, section 5) and public keys in it (RFC 4253, section 6.6)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from wheelferry_schemas.errors import MalformedError

KEY_TYPES = {
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "ssh-rsa": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""The known types of keys, each with the number of strings after its name."""


def string(data: bytes) -> bytes:
    """Encode a string: its length as a big-endian u32, then its bytes."""
    return len(data).to_bytes(4, "big") + data


class Reader:
    """Reads fields from a blob; refuses to read past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        if size > len(self._data) - self._at:
            raise MalformedError("a length in it reaches past its end")
        self._at += size
        return self._data[self._at - size : self._at]

    def uint32(self) -> int:
        """Return the next big-endian u32."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """Return the next string."""
        return self.take(self.uint32())

    def mpint(self) -> int:
        """Return the next multiple precision integer; negative and padded ones are refused."""
        data = self.string()
        if not data or data[0] & 0x80 or (data[0] == 0 and not (len(data) > 1 and data[1] & 0x80)):
            raise MalformedError("an integer in it is not a positive one in its shortest form")
        return int.from_bytes(data, "big")

    def finish(self) -> None:
        """Refuse trailing bytes."""
        if self._at != len(self._data):
            raise MalformedError("bytes follow its end")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An SSH public key as its wire bytes; keys with equal bytes are equal."""

    blob: bytes

    @property
    def type(self) -> str:
        """The key's type, such as `ssh-ed25519`."""
        return Reader(self.blob).string().decode("ascii", "replace")

    @property
    def fingerprint(self) -> str:
        """The fingerprint as OpenSSH prints it: `SHA256:` and unpadded base64."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")

    def line(self) -> str:
        """Return `type base64`, the middle of a line in a `.pub` file."""
        return f"{self.type} {base64.b64encode(self.blob).decode('ascii')}"


def parse_public_key(key_type: str, base64_blob: str) -> PublicKey:
    """Read a key from its two words in a `.pub` or allowed_signers file.

    Raises `MalformedError`.
    """
    if key_type not in KEY_TYPES:
        raise MalformedError(f"keys of type {key_type!r} are not supported")
    try:
        blob = base64.b64decode(base64_blob, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("the key is not base64") from error
    reader = Reader(blob)
    if reader.string() != key_type.encode():
        raise MalformedError(f"the type inside the key is not {key_type!r}")
    for _ in range(KEY_TYPES[key_type]):
        reader.string()
    reader.finish()
    return PublicKey(blob)
