"""Bundles whose signatures are hostile, or whose signers the host does not accept."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable, Mapping, Sequence

from support.making.archives import join_plain
from vectors import keys
from vectors.good_bundle import BUNDLE, SIGNERS, manifest, plain_frames
from vectors.keys import RawKey, armor, ecdsa, ed25519, mpint, rsa_key, security_key
from vectors.vector import Vector
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import string

ALICE, BOB, MALLORY = map(ed25519, ("alice", "bob", "mallory"))
_NOBODY = "has no signature from a signer listed in"
_TWO = ("--require-signatures", "2")
Files = Callable[[], Mapping[str, bytes]]


def _signed(signatures: Sequence[bytes], signers: str, **more: bytes) -> dict[str, bytes]:
    """Return the files of a host that accepts these signers, and a bundle with these signatures."""
    bundle = join_plain(plain_frames(signatures=signatures))
    return {BUNDLE: bundle, SIGNERS: signers.encode(), **more}


def _by(key: RawKey, message: bytes | None = None, namespace: str = keys.NAMESPACE) -> Files:
    """Return a bundle that this key signed, on a host that accepts the key."""
    return lambda: _signed(
        [key.armored(manifest() if message is None else message, namespace)], key.line("alice")
    )


def _blob(change: Callable[[bytes], bytes]) -> Files:
    """Return a bundle with what alice's key really signed changed."""
    data = sshsig.signed_data(manifest(), keys.NAMESPACE, "sha512")
    return lambda: _signed([armor(ALICE.blob, change(ALICE.sign(data)))], ALICE.line("alice"))


def _armored(change: Callable[[bytes], bytes]) -> Files:
    """Return a bundle with the text of alice's signature changed."""
    return lambda: _signed([change(ALICE.armored(manifest()))], ALICE.line("alice"))


def _fields(**changed: bytes) -> Files:
    """Return a bundle with single fields of alice's signature replaced (PROTOCOL.sshsig)."""

    def make() -> Mapping[str, bytes]:
        data = sshsig.signed_data(manifest(), keys.NAMESPACE, "sha512")
        fields = {
            "magic": b"SSHSIG",
            "version": (1).to_bytes(4, "big"),
            "key": string(ALICE.blob),
            "namespace": string(keys.NAMESPACE.encode()),
            "reserved": string(b""),
            "hash": string(b"sha512"),
            "signature": string(ALICE.sign(data)),
            "after": b"",
            **changed,
        }
        text = base64.b64encode(b"".join(fields.values())).decode()
        lines = "\n".join(textwrap.wrap(text, 70))
        whole = f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n"
        return _signed([whole.encode()], ALICE.line("alice"))

    return make


def _with_options(options: str) -> Files:
    return lambda: _signed([ALICE.armored(manifest())], ALICE.line("alice", options))


def _hidden_bits() -> Mapping[str, bytes]:
    """Return a signature whose base64 has bits in its last letter that decode to nothing."""
    key = next(key for key in (ALICE, ecdsa(), rsa_key()) if b"=\n" in key.armored(manifest()))
    text = key.armored(manifest())
    at = text.index(b"=") - 1
    return _signed([text[:at] + bytes([text[at] + 1]) + text[at + 1 :]], key.line("alice"))


def _malleable(blob: bytes) -> bytes:
    """Return alice's signature with the group's order added to its second half."""
    second = int.from_bytes(blob[-32:], "little") + keys.ED25519_ORDER
    return blob[:-32] + second.to_bytes(32, "little")


def _stripped() -> Mapping[str, bytes]:
    return _signed([], ALICE.line("alice"))


def _twice(*names: str) -> Files:
    """Return a bundle that alice signed twice, on a host that knows her key by these names."""
    return lambda: _signed(
        [ALICE.armored(manifest()), ALICE.armored(manifest(), hash_name="sha256")],
        "".join(ALICE.line(name) for name in names),
    )


def _revoked() -> Mapping[str, bytes]:
    line = ALICE.public.line().encode() + b"\n"
    return _signed([ALICE.armored(manifest())], ALICE.line("alice"), revoked_keys=line)


def _revoked_and_good() -> Mapping[str, bytes]:
    """Return a bundle of two signers, one of whom is revoked, where two are asked for."""
    line = BOB.public.line().encode() + b"\n"
    signatures = [key.armored(manifest()) for key in (ALICE, BOB)]
    return _signed(signatures, ALICE.line("alice") + BOB.line("bob"), revoked_keys=line)


def _from_policy() -> Mapping[str, bytes]:
    signatures = [ALICE.armored(manifest()), MALLORY.armored(manifest())]
    settings = b"[policy]\nrequire-signatures = 2\n"
    return {**_signed(signatures, ALICE.line("alice")), "policy.ini": settings}


def _another_bundle() -> Mapping[str, bytes]:
    return _signed([ALICE.armored(manifest().replace(b"demo", b"evil"))], ALICE.line("alice"))


def _with_another_key() -> Mapping[str, bytes]:
    """Return a signature of mallory's that claims to be by alice."""
    data = sshsig.signed_data(manifest(), keys.NAMESPACE, "sha512")
    return _signed([armor(ALICE.blob, MALLORY.sign(data))], ALICE.line("alice"))


def _and_garbage(*garbage: bytes) -> Files:
    return lambda: _signed([ALICE.armored(manifest()), *garbage], ALICE.line("alice"))


def _odd_rsa(exponent: int, modulus: int) -> RawKey:
    blob = string(b"ssh-rsa") + mpint(exponent) + mpint(modulus)
    return RawKey(blob=blob, sign=lambda _: string(b"rsa-sha2-512") + string(bytes(256)))


def _off_the_curve() -> RawKey:
    kind = string(b"ecdsa-sha2-nistp256")
    blob = kind + string(b"nistp256") + string(b"\x04" + b"\x01" * 64)
    return RawKey(blob=blob, sign=lambda _: kind + string(mpint(1) + mpint(1)))


REFUSED: dict[str, tuple[str, Files]] = {
    "stripped": ("bundle.tar.zst is not signed", _stripped),
    "unknown-signer": (
        "this host does not know the key",
        lambda: _signed([MALLORY.armored(manifest())], ALICE.line("alice")),
    ),
    "namespace-git": ("made for 'git', not for bundles", _by(ALICE, namespace="git")),
    "namespace-file": ("made for 'file', not for bundles", _by(ALICE, namespace="file")),
    "namespace-empty": ("made for '', not for bundles", _by(ALICE, namespace="")),
    "namespace-longer": ("not for bundles", _by(ALICE, namespace="wheelferry.bundle.v1x")),
    "namespace-not-utf8": ("namespace is not UTF-8", _fields(namespace=string(b"\xff"))),
    "signer-of-other-namespaces": (
        "is not allowed for wheelferry.bundle.v1",
        _with_options('namespaces="git,file"'),
    ),
    "signer-of-all-but-bundles": (
        "is not allowed for wheelferry.bundle.v1",
        _with_options('namespaces="*,!wheelferry.bundle.*"'),
    ),
    "not-yet-valid": ("is not valid yet", _with_options('valid-after="29991231Z"')),
    "no-longer-valid": ("is no longer valid", _with_options('valid-before="20231115Z"')),
    "revoked": ("the key is revoked", _revoked),
    "another-bundle": ("does not match what was signed", _another_bundle),
    "another-key": ("does not match what was signed", _with_another_key),
    "sha1": ("the hash 'sha1'", _fields(hash=string(b"sha1"))),
    "md5": ("the hash 'md5'", _fields(hash=string(b"md5"))),
    "hash-in-capitals": ("the hash 'SHA512'", _fields(hash=string(b"SHA512"))),
    "hash-swapped": ("does not match what was signed", _fields(hash=string(b"sha256"))),
    "rsa-with-sha1": ("must use SHA-2", _by(rsa_key(2048, "ssh-rsa"))),
    "rsa-1024": ("an RSA key of 1024 bits", _by(rsa_key(1024))),
    "rsa-exponent-1": ("its key is not a valid one", _by(_odd_rsa(1, 2**2047 + 1))),
    "rsa-exponent-even": ("its key is not a valid one", _by(_odd_rsa(65536, 2**2047 + 1))),
    "rsa-huge": ("at least 2048 are required", _by(_odd_rsa(65537, 2**100_000 + 1))),
    "ecdsa-zeros": ("not a positive one", _by(ecdsa(numbers=lambda _r, _s: (0, 0)))),
    "ecdsa-beyond-the-order": (
        "does not match what was signed",
        _by(ecdsa(numbers=lambda r, s: (r + 2**256, s))),
    ),
    "ecdsa-huge-numbers": (
        "does not match what was signed",
        _by(ecdsa(numbers=lambda _r, _s: (2**200_000, 1))),
    ),
    "ecdsa-off-the-curve": ("its key is not a valid one", _by(_off_the_curve())),
    "ed25519-malleable": ("does not match what was signed", _blob(_malleable)),
    "ed25519-short": ("does not match", _blob(lambda blob: blob[:15] + string(bytes(63)))),
    "ed25519-empty": ("does not match", _blob(lambda blob: blob[:15] + string(b""))),
    "security-key-not-touched": ("was not touched", _by(security_key(flags=0))),
    "security-key-only-verified": ("was not touched", _by(security_key("ecdsa", flags=4))),
    "security-key-for-something-else": (
        "does not match what was signed",
        _by(security_key(application=b"https://evil.example")),
    ),
    "algorithm-of-another-type": (
        "does not sign with",
        _blob(lambda blob: string(b"rsa-sha2-512") + blob[15:]),
    ),
    "certificate": (
        "are not supported",
        lambda: _signed(
            [armor(string(b"ssh-ed25519-cert-v01@openssh.com"), string(b"x") + string(b""))],
            ALICE.line("alice"),
        ),
    ),
    "bytes-after-signature": ("bytes follow its end", _blob(lambda blob: blob + b"\0")),
    "bytes-after-everything": ("bytes follow its end", _fields(after=b"\0")),
    "length-past-the-end": ("reaches past its end", _fields(signature=b"\xff\xff\xff\xff")),
    "version-0": ("it has version 0", _fields(version=bytes(4))),
    "version-2": ("it has version 2", _fields(version=(2).to_bytes(4, "big"))),
    "magic": ("does not begin with SSHSIG", _fields(magic=b"SSHSIX")),
    "reserved": ("reserved field is not empty", _fields(reserved=string(b"x"))),
    "key-empty": ("reaches past its end", _fields(key=string(b""))),
    "text-before": ("first or last line", _armored(lambda text: b"signed by alice\n" + text)),
    "text-after": ("first or last line", _armored(lambda text: text + b"and bob\n")),
    "second-signature-after": ("first or last line", _armored(lambda text: text * 2 + b"\n")),
    "line-break-missing": ("first or last line", _armored(bytes.rstrip)),
    "carriage-returns": ("first or last line", _armored(lambda t: t.replace(b"\n", b"\r\n"))),
    "space-in-base64": ("is not base64", _armored(lambda t: t.replace(b"U1NI", b"U1N ", 1))),
    "not-canonical-base64": ("in its one canonical form", _hidden_bits),
    "not-ascii": ("is not ASCII", _armored(lambda text: text.replace(b"U", "\xdc".encode(), 1))),
    "long-lines": (
        "empty or too long",
        _armored(
            lambda t: (
                t.replace(b"\n", b"")
                .replace(b"TURE-----", b"TURE-----\n", 1)
                .replace(b"-----END", b"\n-----END")
                + b"\n"
            )
        ),
    ),
    "escape": ("is not ASCII", _armored(lambda text: b"\x1b[2J\xff" + text)),
    "noise": ("first or last line", _armored(lambda _: bytes(range(1, 128)) * 20)),
}
REFUSED_FOR_TWO: dict[str, tuple[str, Files]] = {
    "one-signature": ("1 person, this host asks for 2", _by(ALICE)),
    "one-key-twice": ("1 person, this host asks for 2", _twice("alice")),
    "one-key-by-two-names": ("1 person, this host asks for 2", _twice("alice", "bob")),
    "one-of-two-revoked": ("1 person, this host asks for 2", _revoked_and_good),
}
ACCEPTED: dict[str, Files] = {
    "ed25519": _by(ALICE),
    "ecdsa-256": _by(ecdsa("nistp256")),
    "ecdsa-384": _by(ecdsa("nistp384")),
    "ecdsa-521": _by(ecdsa("nistp521")),
    "rsa-2048": _by(rsa_key()),
    "rsa-2048-sha256": _by(rsa_key(algorithm="rsa-sha2-256")),
    "security-key-ed25519": _by(security_key()),
    "security-key-ecdsa": _by(security_key("ecdsa", flags=5)),
    "valid-now": _with_options('valid-after="20200101Z",valid-before="29991231Z"'),
    "namespace-by-pattern": _with_options('namespaces="git,wheelferry.*"'),
}
ACCEPTED_WITH_WARNING: dict[str, tuple[str, Files]] = {
    "and-garbage": ("signatures/2.sig does not count", _and_garbage(b"garbage")),
    "and-unknown": ("signatures/2.sig does not count", _and_garbage(MALLORY.armored(b""))),
    "and-fifteen-of-garbage": ("signatures/16.sig does not count", _and_garbage(*[b"x"] * 15)),
}


def signature_vectors() -> list[Vector]:
    """Return the vectors of this module; those that are refused are a matter of trust."""
    return [
        *(
            Vector(name=name, code=3, words=words, files=files)
            for name, (words, files) in REFUSED.items()
        ),
        *(
            Vector(name=f"threshold-{name}", code=3, words=words, files=files, options=_TWO)
            for name, (words, files) in REFUSED_FOR_TWO.items()
        ),
        Vector(
            name="threshold-of-the-policy",
            code=3,
            words="1 person, this host asks for 2",
            files=_from_policy,
        ),
        *(
            Vector(name=f"control-{name}", code=0, words="", files=files)
            for name, files in ACCEPTED.items()
        ),
        *(
            Vector(name=f"control-{name}", code=0, words=words, files=files)
            for name, (words, files) in ACCEPTED_WITH_WARNING.items()
        ),
    ]
