"""Keys of every type, always the same, and signatures by them with something wrong."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import PublicKey, string

NAMESPACE = sshsig.NAMESPACE
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_CURVES = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}
_APPLICATION = b"ssh:"
_COUNTER = bytes(4)
_PRIMES = {
    1024: (
        0xE62645E229786129FC75436028922DB7252EDE834F12CED1DC85FF8851E41C51A8A4240F4F367B1244A9D6D3BAEA072F91F7A08A1F6043F0C4D350F475A5B377,
        0xC4B89709650754AD8AB2A35CBAF9411DD473B79A7E14338484DE061E1A7F867873FB4EEC6C35B19FBBA026F9F33E7DC0987BCC8437C62A81BDCB263B7F18AEC7,
    ),
    2048: (
        0xEC148B13FC6DC9EAB07BFCFE9708B7594FD5D009DA1F9C88F01A4755927E37C178A6838703CCAA273B4DF7F4C22460F81D8D995110993A923FC335516423ECF2622C6CFC0AFA6A26E28C3A575390E6DD451657F66C5097D135111EEE5A6624D4AFCB8C9E103DE2FB396FC9E0CB15C41906EE76503F8E702AF5DCFB2EBD9BA761,
        0xD120DD6D5B9B3AD3B4327D125AA276162F2D1303BB7261DE4C681C5D5768D8EEACB9884B2678BEB57FF76FB1285F861D0CF1609F39DC44C6EDD37EAA3772399EA5F545F8D6D33C9C5213E74678F90772BE57701011ABFF50F6324D8EA9582E1A2A769B37DA2BEEC3AB30047F545C41FAD5FA71E4FEF7318435D06993856B4DA7,
    ),
}
"""Two primes for each size of RSA keys: making them anew would make other vectors each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawKey:
    """A key: its wire bytes, and what signs, which returns a signature in SSH's encoding."""

    blob: bytes
    sign: Callable[[bytes], bytes]

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.blob)

    def armored(
        self, message: bytes, namespace: str = NAMESPACE, hash_name: str = "sha512"
    ) -> bytes:
        """Return a signature as `ssh-keygen -Y sign` would."""
        data = sshsig.signed_data(message, namespace, hash_name)
        return armor(self.blob, self.sign(data), namespace=namespace, hash_name=hash_name)

    def line(self, name: str, options: str = "") -> str:
        """Return a line for allowed_signers."""
        return f"{name} {options} {self.public.line()}\n".replace("  ", " ")


def armor(
    key: bytes, blob: bytes, *, namespace: str = NAMESPACE, hash_name: str = "sha512"
) -> bytes:
    """Return an armored signature of these parts."""
    return sshsig.encode(
        sshsig.Signature(key=PublicKey(key), namespace=namespace, hash_name=hash_name, blob=blob)
    )


def mpint(number: int) -> bytes:
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big") if number else b"")


def ed25519(name: str) -> RawKey:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = string(b"ssh-ed25519")
    return RawKey(blob=kind + string(raw), sign=lambda data: kind + string(private.sign(data)))


def _ec_private(curve: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(b"wheelferry", "big"), _CURVES[curve][0])


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def ecdsa(
    curve: str = "nistp256", numbers: Callable[[int, int], tuple[int, int]] | None = None
) -> RawKey:
    """Return an ECDSA key; `numbers` replaces r and s of what it signs."""
    private = _ec_private(curve)
    kind = string(f"ecdsa-sha2-{curve}".encode())

    def sign(data: bytes) -> bytes:
        made = private.sign(data, ec.ECDSA(_CURVES[curve][1], deterministic_signing=True))
        r, s = decode_dss_signature(made)
        r, s = numbers(r, s) if numbers else (r, s)
        return kind + string(mpint(r) + mpint(s))

    return RawKey(blob=kind + string(curve.encode()) + string(_point(private)), sign=sign)


@functools.cache
def _rsa_private(bits: int) -> rsa.RSAPrivateKey:
    p, q = _PRIMES[bits]
    exponent = 65537
    d = pow(exponent, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(exponent, p * q),
    ).private_key()


def rsa_key(bits: int = 2048, algorithm: str = "rsa-sha2-512") -> RawKey:
    hash_algorithm = {
        "rsa-sha2-512": hashes.SHA512(),
        "rsa-sha2-256": hashes.SHA256(),
        "ssh-rsa": hashes.SHA1(),  # noqa: S303 - this is what has to be refused
    }[algorithm]
    numbers = _rsa_private(bits).public_key().public_numbers()
    blob = string(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n)
    return RawKey(
        blob=blob,
        sign=lambda data: (
            string(algorithm.encode())
            + string(_rsa_private(bits).sign(data, padding.PKCS1v15(), hash_algorithm))
        ),
    )


def security_key(
    kind: str = "ed25519", *, flags: int = 1, application: bytes = _APPLICATION
) -> RawKey:
    """Return a FIDO key; `flags` 1 says that it was touched. `application` is what it signs for."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"sk").digest())

    def sign_with(head: bytes, sign: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        def signed(data: bytes) -> bytes:
            message = (
                hashlib.sha256(application).digest()
                + bytes([flags])
                + _COUNTER
                + hashlib.sha256(data).digest()
            )
            return head + string(sign(message)) + bytes([flags]) + _COUNTER

        return signed

    if kind == "ed25519":
        head = string(b"sk-ssh-ed25519@openssh.com")
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        blob = head + string(raw) + string(_APPLICATION)
        return RawKey(blob=blob, sign=sign_with(head, private.sign))
    other = _ec_private("nistp256")
    head = string(b"sk-ecdsa-sha2-nistp256@openssh.com")

    def sign_ecdsa(message: bytes) -> bytes:
        made = other.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return b"".join(map(mpint, decode_dss_signature(made)))

    blob = head + string(b"nistp256") + string(_point(other)) + string(_APPLICATION)
    return RawKey(blob=blob, sign=sign_with(head, sign_ecdsa))
