import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.running.ssh import make_openssh_key
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.trust.ssh_wire import KEY_TYPES, PublicKey, Reader, parse_public_key, string

ED25519 = string(b"ssh-ed25519") + string(bytes(32))
"""The wire bytes of a key; what is in them does not matter to the encoding."""


def _base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_strings_come_back_in_order(parts: list[bytes]) -> None:
    reader = Reader(b"".join(string(part) for part in parts))
    assert [reader.string() for _ in parts] == parts
    reader.finish()


def test_refuses_length_past_the_end() -> None:
    with pytest.raises(MalformedError, match="past its end"):
        Reader(b"\0\0\0\5abcd").string()


def test_refuses_bytes_left_over() -> None:
    reader = Reader(string(b"a") + b"b")
    reader.string()
    with pytest.raises(MalformedError, match="bytes follow its end"):
        reader.finish()


@pytest.mark.parametrize("value", [1, 127, 128, 255, 256, 2**255])
def test_reads_positive_integers(value: int) -> None:
    data = value.to_bytes(value.bit_length() // 8 + 1, "big")
    assert Reader(string(data)).mpint() == value


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1", b"\x80", b"\0\0\x80"])
def test_refuses_integers_that_are_negative_zero_or_padded(data: bytes) -> None:
    with pytest.raises(MalformedError, match="shortest form"):
        Reader(string(data)).mpint()


def test_fingerprint_is_the_one_that_openssh_prints(tmp_path: Path) -> None:
    key = make_openssh_key(tmp_path / "key")
    assert key.public.fingerprint == key.fingerprint


def test_line_of_a_key_reads_back_as_that_key() -> None:
    key = PublicKey(ED25519)
    key_type, blob = key.line().split()
    assert parse_public_key(key_type, blob) == key


def test_refuses_key_types_that_are_not_supported() -> None:
    for key_type in ("ssh-dss", "ssh-ed25519-cert-v01@openssh.com", "SSH-ED25519", ""):
        assert key_type not in KEY_TYPES
        with pytest.raises(MalformedError, match="not supported"):
            parse_public_key(key_type, _base64(string(key_type.encode())))


def test_refuses_key_of_another_type_than_its_word_says() -> None:
    with pytest.raises(MalformedError, match="type inside the key is not"):
        parse_public_key("ssh-rsa", _base64(ED25519))


@pytest.mark.parametrize("stray", ["*", "!", " ", "\n", "-", "="])
def test_refuses_stray_character_in_base64(stray: str) -> None:
    text = _base64(ED25519)
    with pytest.raises(MalformedError, match="the key is not base64"):
        parse_public_key("ssh-ed25519", text[:8] + stray + text[8:])


@pytest.mark.parametrize("text", ["", "A", "AAA*", _base64(ED25519)[:-1], "AAAA AAAA"])
def test_refuses_key_that_is_not_base64(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_public_key("ssh-ed25519", text)


@pytest.mark.parametrize("size", [4, 15, 20, len(ED25519) - 3])
def test_refuses_key_that_was_cut_short(size: int) -> None:
    with pytest.raises(MalformedError, match="past its end"):
        parse_public_key("ssh-ed25519", _base64(ED25519[:size]))


def test_refuses_bytes_after_a_key() -> None:
    with pytest.raises(MalformedError, match="bytes follow its end"):
        parse_public_key("ssh-ed25519", _base64(ED25519 + b"\0\0\0"))
