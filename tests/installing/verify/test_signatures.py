from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from support.making.signatures import (
    MESSAGE,
    mpint,
    point_of,
    refusal_of,
    signature_of,
    signed_data,
)
from support.running.ssh import OpenSshKey, fixed_key, make_openssh_key, openssh_accepts
from wheelferry_installer.verify import signatures
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import string
from wheelferry_schemas.trust.sshsig import NAMESPACE, Signature

KEY_TYPES = (
    ("ed25519", None),
    ("ecdsa", 256),
    ("ecdsa", 384),
    ("ecdsa", 521),
    ("rsa", 2048),
    ("rsa", 3072),
)


@pytest.fixture(scope="module")
def openssh_keys(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., OpenSshKey]:
    """Makes keys with ssh-keygen, each once."""
    folder = tmp_path_factory.mktemp("keys")

    def get(key_type: str, bits: int | None) -> OpenSshKey:
        path = folder / f"{key_type}{bits or ''}"
        if not path.exists():
            make_openssh_key(path, key_type, bits)
        return OpenSshKey(path=path)

    return get


# Keys that ssh-keygen makes and signs with.


@pytest.mark.parametrize(("key_type", "bits"), KEY_TYPES)
def test_accepts_what_openssh_signs(
    openssh_keys: Callable[..., OpenSshKey], key_type: str, bits: int | None
) -> None:
    key = openssh_keys(key_type, bits)
    signature = sshsig.decode(key.sign(MESSAGE, NAMESPACE))
    assert signature.key == key.public
    signatures.check(signature, MESSAGE, NAMESPACE)


@pytest.mark.parametrize(("key_type", "bits"), KEY_TYPES)
def test_refuses_other_message(
    openssh_keys: Callable[..., OpenSshKey], key_type: str, bits: int | None
) -> None:
    signature = sshsig.decode(openssh_keys(key_type, bits).sign(MESSAGE, NAMESPACE))
    assert refusal_of(signature, MESSAGE + b" ") == "it does not match what was signed"


@pytest.mark.parametrize(("key_type", "bits"), KEY_TYPES)
def test_refuses_every_flipped_byte_of_the_signature(
    openssh_keys: Callable[..., OpenSshKey], key_type: str, bits: int | None
) -> None:
    signature = sshsig.decode(openssh_keys(key_type, bits).sign(MESSAGE, NAMESPACE))
    for at in range(len(signature.blob)):
        blob = bytearray(signature.blob)
        blob[at] ^= 0x01
        refusal_of(signature_of(signature.key.blob, bytes(blob), hash_name=signature.hash_name))


@pytest.mark.parametrize(("key_type", "bits"), KEY_TYPES)
def test_refuses_every_flipped_byte_of_the_key(
    openssh_keys: Callable[..., OpenSshKey], key_type: str, bits: int | None
) -> None:
    signature = sshsig.decode(openssh_keys(key_type, bits).sign(MESSAGE, NAMESPACE))
    for at in range(0, len(signature.key.blob), 7):
        blob = bytearray(signature.key.blob)
        blob[at] ^= 0x01
        refusal_of(signature_of(bytes(blob), signature.blob, hash_name=signature.hash_name))


@pytest.mark.parametrize(("key_type", "bits"), KEY_TYPES)
def test_refuses_bytes_after_signature_or_key(
    openssh_keys: Callable[..., OpenSshKey], key_type: str, bits: int | None
) -> None:
    signature = sshsig.decode(openssh_keys(key_type, bits).sign(MESSAGE, NAMESPACE))
    assert "bytes follow its end" in refusal_of(
        signature_of(signature.key.blob, signature.blob + b"\0")
    )
    assert "bytes follow its end" in refusal_of(
        signature_of(signature.key.blob + b"\0", signature.blob)
    )


def test_refuses_namespace_of_something_else(openssh_keys: Callable[..., OpenSshKey]) -> None:
    signature = sshsig.decode(openssh_keys("ed25519", None).sign(MESSAGE, "file"))
    said = refusal_of(signature)
    assert said == f"it was made for 'file', not for bundles ({NAMESPACE})"


def test_namespace_is_part_of_what_was_signed(openssh_keys: Callable[..., OpenSshKey]) -> None:
    made = sshsig.decode(openssh_keys("ed25519", None).sign(MESSAGE, "file"))
    assert refusal_of(signature_of(made.key.blob, made.blob)) == "it does not match what was signed"


def test_hash_is_part_of_what_was_signed(openssh_keys: Callable[..., OpenSshKey]) -> None:
    made = sshsig.decode(openssh_keys("ed25519", None).sign(MESSAGE, NAMESPACE))
    said = refusal_of(signature_of(made.key.blob, made.blob, hash_name="sha256"))
    assert said == "it does not match what was signed"


def test_accepts_sha256(tmp_path: Path) -> None:
    key = fixed_key("alice")
    blob = string(b"ssh-ed25519") + string(key.private.sign(signed_data("sha256")))
    signature = signature_of(key.public.blob, blob, hash_name="sha256")
    signatures.check(signature, MESSAGE, NAMESPACE)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"alice {key.public.line()}\n")
    assert openssh_accepts(signers, "alice", MESSAGE, sshsig.encode(signature), NAMESPACE)


@pytest.mark.parametrize(
    ("key_type", "algorithm"),
    [
        (b"ssh-ed25519", b"ssh-rsa"),
        (b"ssh-ed25519", b"ssh-ed25519\0"),
        (b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384"),
        (b"sk-ssh-ed25519@openssh.com", b"ssh-ed25519"),
    ],
)
def test_refuses_algorithm_that_is_not_the_keys(key_type: bytes, algorithm: bytes) -> None:
    said = refusal_of(signature_of(string(key_type) + string(bytes(32)), string(algorithm)))
    assert "does not sign with" in said


@pytest.mark.parametrize(
    "key_type", [b"ssh-dss", b"ssh-ed25519-cert-v01@openssh.com", b"ssh-ed448", b"", b"\xff"]
)
def test_refuses_unknown_key_type(key_type: bytes) -> None:
    said = refusal_of(signature_of(string(key_type) + string(bytes(32)), string(key_type)))
    assert "not supported" in said


@pytest.mark.parametrize("size", [0, 31, 33])
def test_refuses_ed25519_key_of_another_size(size: int) -> None:
    key = string(b"ssh-ed25519") + string(bytes(size))
    said = refusal_of(signature_of(key, string(b"ssh-ed25519") + string(bytes(64))))
    assert "its key is not a valid one" in said


@pytest.mark.parametrize("size", [0, 63, 65])
def test_refuses_ed25519_signature_of_another_size(size: int) -> None:
    key = fixed_key("alice").public.blob
    said = refusal_of(signature_of(key, string(b"ssh-ed25519") + string(bytes(size))))
    assert said == "it does not match what was signed"


# ECDSA.


def _ecdsa_key(curve: bytes, point: bytes) -> bytes:
    return string(b"ecdsa-sha2-" + curve) + string(curve) + string(point)


@pytest.mark.parametrize("curve", [b"nistp224", b"secp256k1", b""])
def test_refuses_other_curve(curve: bytes) -> None:
    key = _ecdsa_key(curve, bytes(65))
    blob = string(b"ecdsa-sha2-" + curve) + string(mpint(1) + mpint(1))
    assert f"curve {curve.decode()!r} is not supported" in refusal_of(signature_of(key, blob))


def test_refuses_key_whose_name_and_curve_differ() -> None:
    private = ec.derive_private_key(5, ec.SECP384R1())
    key = string(b"ecdsa-sha2-nistp256") + string(b"nistp384") + string(point_of(private))
    r, s = decode_dss_signature(private.sign(signed_data(), ec.ECDSA(hashes.SHA384())))
    blob = string(b"ecdsa-sha2-nistp256") + string(mpint(r) + mpint(s))
    assert refusal_of(signature_of(key, blob)) == (
        "a key of type ecdsa-sha2-nistp256 is not on the curve 'nistp384'"
    )


@pytest.mark.parametrize("point", [b"", bytes(65), b"\4" + bytes(64), b"\4" + b"\xff" * 64])
def test_refuses_point_that_is_not_on_the_curve(point: bytes) -> None:
    blob = string(b"ecdsa-sha2-nistp256") + string(mpint(1) + mpint(1))
    said = refusal_of(signature_of(_ecdsa_key(b"nistp256", point), blob))
    assert "its key is not a valid one" in said


def test_refuses_second_spelling_of_a_key() -> None:
    private = ec.derive_private_key(5, ec.SECP256R1())
    compressed = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    r, s = decode_dss_signature(private.sign(signed_data(), ec.ECDSA(hashes.SHA256())))
    blob = string(b"ecdsa-sha2-nistp256") + string(mpint(r) + mpint(s))
    said = refusal_of(signature_of(_ecdsa_key(b"nistp256", compressed), blob))
    assert said == "its key is not a valid one: its point is not written in full"


@pytest.mark.parametrize(
    "numbers",
    [b"", mpint(1), mpint(1) * 3, string(b"\0") * 2, string(b"\xff") * 2, string(b"\0\1") * 2],
)
def test_refuses_wrong_numbers_in_ecdsa_signature(numbers: bytes) -> None:
    key = _ecdsa_key(b"nistp256", point_of(ec.derive_private_key(5, ec.SECP256R1())))
    blob = string(b"ecdsa-sha2-nistp256") + string(numbers)
    assert "match" not in refusal_of(signature_of(key, blob))


# RSA.


def _rsa_key(exponent: int, modulus: int) -> bytes:
    return string(b"ssh-rsa") + mpint(exponent) + mpint(modulus)


def _rsa_signature(bits: int, algorithm: bytes, hash_algorithm: hashes.HashAlgorithm) -> Signature:
    private = rsa.generate_private_key(65537, bits)
    numbers = private.public_key().public_numbers()
    signed = private.sign(signed_data(), padding.PKCS1v15(), hash_algorithm)
    return signature_of(_rsa_key(numbers.e, numbers.n), string(algorithm) + string(signed))


@pytest.mark.parametrize(
    ("algorithm", "hash_algorithm"),
    [(b"rsa-sha2-256", hashes.SHA256()), (b"rsa-sha2-512", hashes.SHA512())],
)
def test_accepts_rsa_with_sha2(algorithm: bytes, hash_algorithm: hashes.HashAlgorithm) -> None:
    signature = _rsa_signature(2048, algorithm, hash_algorithm)
    signatures.check(signature, MESSAGE, NAMESPACE)


def test_refuses_rsa_with_sha1() -> None:
    signature = _rsa_signature(2048, b"ssh-rsa", hashes.SHA1())  # noqa: S303
    assert refusal_of(signature) == "RSA signatures must use SHA-2, this one uses 'ssh-rsa'"


def test_refuses_rsa_of_1024_bits() -> None:
    signature = _rsa_signature(1024, b"rsa-sha2-512", hashes.SHA512())
    assert refusal_of(signature) == "an RSA key of 1024 bits; at least 2048 are required"


@pytest.mark.parametrize("bits", [2047, 16385, 500_000])
def test_refuses_rsa_of_absurd_size_without_computing_with_it(bits: int) -> None:
    blob = string(b"rsa-sha2-512") + string(b"x" * 256)
    said = refusal_of(signature_of(_rsa_key(65537, 2 ** (bits - 1) + 1), blob))
    assert f"an RSA key of {bits} bits" in said


@pytest.mark.parametrize("exponent", [1, 2, 65536])
def test_refuses_rsa_exponent_that_is_none(exponent: int) -> None:
    blob = string(b"rsa-sha2-512") + string(b"x" * 256)
    said = refusal_of(signature_of(_rsa_key(exponent, 2**2047 + 1), blob))
    assert "its key is not a valid one" in said


def test_refuses_empty_key() -> None:
    assert "past its end" in refusal_of(signature_of(b"", string(b"ssh-ed25519")))
