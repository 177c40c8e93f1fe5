import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.running.ssh import fixed_key, make_openssh_key, openssh_accepts
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.trust import allowed_signers, sshsig
from wheelferry_schemas.trust.ssh_wire import PublicKey, string
from wheelferry_schemas.trust.sshsig import NAMESPACE, Signature

MESSAGE = b'{\n  "format": 1\n}\n'
ARMORED = fixed_key("alice").sign(MESSAGE)


def _blob(
    *,
    magic: bytes = b"SSHSIG",
    version: int = 1,
    namespace: bytes = NAMESPACE.encode(),
    reserved: bytes = b"",
    hash_name: bytes = b"sha512",
    tail: bytes = b"",
) -> bytes:
    key = string(string(b"ssh-ed25519") + string(bytes(32)))
    signature = string(string(b"ssh-ed25519") + string(bytes(64)))
    fields = (namespace, reserved, hash_name)
    return (
        magic + version.to_bytes(4, "big") + key + b"".join(map(string, fields)) + signature + tail
    )


def _armor(blob: bytes, width: int = 70) -> bytes:
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    body = "\n".join(lines)
    return f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n".encode()


@given(
    key=st.binary(max_size=200),
    namespace=st.text(max_size=30),
    hash_name=st.sampled_from(sorted(sshsig.HASHES)),
    blob=st.binary(max_size=600),
)
def test_reads_what_it_writes(key: bytes, namespace: str, hash_name: str, blob: bytes) -> None:
    signature = Signature(key=PublicKey(key), namespace=namespace, hash_name=hash_name, blob=blob)
    assert sshsig.decode(sshsig.encode(signature)) == signature


def test_openssh_accepts_what_we_encode(tmp_path: Path) -> None:
    key = fixed_key("alice")
    signers = tmp_path / "allowed_signers"
    signers.write_text(allowed_signers.entry("alice", key.public))
    armored = key.sign(MESSAGE)
    assert openssh_accepts(signers, "alice", MESSAGE, armored, NAMESPACE)
    assert not openssh_accepts(signers, "alice", MESSAGE + b"x", armored, NAMESPACE)


def test_writes_the_bytes_that_openssh_writes(tmp_path: Path) -> None:
    armored = make_openssh_key(tmp_path / "key").sign(MESSAGE, NAMESPACE)
    assert sshsig.encode(sshsig.decode(armored)) == armored


def test_reads_what_openssh_writes(tmp_path: Path) -> None:
    key = make_openssh_key(tmp_path / "key")
    signature = sshsig.decode(key.sign(MESSAGE, NAMESPACE))
    assert (signature.key, signature.namespace, signature.hash_name) == (
        key.public,
        NAMESPACE,
        "sha512",
    )


@pytest.mark.parametrize(
    "armored",
    [
        b"",
        b"\n" + ARMORED,
        b"look:\n" + ARMORED,
        ARMORED + b"\n",
        ARMORED + b"more\n",
        ARMORED.rstrip(b"\n"),
        ARMORED.replace(b"\n", b"\r\n"),
        ARMORED.replace(b"BEGIN SSH", b"BEGIN PGP"),
        ARMORED.replace(b"-----END", b"----END"),
        b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
    ],
)
def test_refuses_text_around_the_armor(armored: bytes) -> None:
    with pytest.raises(MalformedError, match="not an SSH signature: its first or last line"):
        sshsig.decode(armored)


def test_refuses_empty_line_in_the_armor() -> None:
    first, rest = ARMORED.split(b"\n", 1)
    with pytest.raises(MalformedError, match="empty or too long"):
        sshsig.decode(first + b"\n\n" + rest)


def test_refuses_line_that_is_too_long() -> None:
    with pytest.raises(MalformedError, match="empty or too long"):
        sshsig.decode(_armor(_blob(), width=77))


def test_takes_lines_as_long_as_others_write_them() -> None:
    assert sshsig.decode(_armor(_blob(), width=76)) == sshsig.decode(_armor(_blob()))


@pytest.mark.parametrize("char", [b" ", b"*", b"=", b"-"])
def test_refuses_what_is_not_base64(char: bytes) -> None:
    with pytest.raises(MalformedError, match="not base64"):
        sshsig.decode(ARMORED.replace(b"\nU1NIU0lH", b"\nU1N" + char + b"IU0lH"))


def test_refuses_two_signatures_in_one_file() -> None:
    with pytest.raises(MalformedError, match="not base64"):
        sshsig.decode(ARMORED + ARMORED)


def test_refuses_bits_that_base64_leaves_unused() -> None:
    armored = _armor(_blob())
    assert b"A==\n-----END" in armored
    with pytest.raises(MalformedError, match="canonical form"):
        sshsig.decode(armored.replace(b"A==\n", b"B==\n"))


def test_refuses_what_is_not_ascii() -> None:
    with pytest.raises(MalformedError, match="not ASCII"):
        sshsig.decode(ARMORED.replace(b"SSH SIGNATURE", "ŠSH SIGNATURE".encode()))


@pytest.mark.parametrize(
    ("blob", "problem"),
    [
        (_blob(magic=b"SSHSIH"), "does not begin with SSHSIG"),
        (_blob(version=2), "version 2, expected 1"),
        (_blob(version=0), "version 0, expected 1"),
        (_blob(reserved=b"x"), "reserved field is not empty"),
        (_blob(hash_name=b"sha1"), "hash 'sha1'"),
        (_blob(hash_name=b"SHA512"), "hash 'SHA512'"),
        (_blob(hash_name=b"md5"), "hash 'md5'"),
        (_blob(namespace=b"\xff"), "namespace is not UTF-8"),
        (_blob(tail=b"x"), "bytes follow its end"),
        (_blob()[:-1], "reaches past its end"),
        (_blob()[:8], "reaches past its end"),
        (b"SSH", "reaches past its end"),
    ],
)
def test_refuses_wrong_fields(blob: bytes, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        sshsig.decode(_armor(blob))


@given(data=st.data())
def test_no_other_armor_decodes_to_the_same_signature(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(ARMORED) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != ARMORED[at]))
    try:
        changed = sshsig.decode(ARMORED[:at] + bytes([byte]) + ARMORED[at + 1 :])
    except MalformedError:
        return
    assert changed != sshsig.decode(ARMORED)
