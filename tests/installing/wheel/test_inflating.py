"""Both libraries that inflate, held against the same expectations."""

import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wheelferry_installer.wheel import inflating
from wheelferry_installer.wheel.inflating import InflateError, crc32, inflater

CONTENT = b"one two three, one two three, " * 1000


@pytest.fixture(autouse=True, params=["isal", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "zlib":
        monkeypatch.setattr(inflating, "isal_zlib", None)
    else:
        assert type(inflater()).__module__ == "isal_zlib"


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=5000), piece=st.integers(1, 300), limit=st.integers(1, 300))
def test_gives_what_was_packed_in_pieces_that_are_no_longer_than_asked(
    content: bytes, piece: int, limit: int
) -> None:
    packed = deflated(content)
    stream, found = inflater(), b""
    while not stream.eof:
        if not stream.unconsumed_tail:
            now, packed = packed[:piece], packed[piece:]
        data = stream.decompress(stream.unconsumed_tail or now, limit)
        assert len(data) <= limit
        found += data
    assert found == content


def test_tells_what_follows_the_end() -> None:
    stream = inflater()
    assert stream.decompress(deflated(CONTENT) + b"more") == CONTENT
    assert (stream.eof, stream.unused_data) == (True, b"more")


def test_truncated_stream_does_not_end() -> None:
    stream = inflater()
    stream.decompress(deflated(CONTENT)[:-3])
    assert not stream.eof


def test_refuses_what_is_no_stream() -> None:
    with pytest.raises(InflateError):
        inflater().decompress(b"\xff" * 100)


def test_crcs_of_pieces_are_those_of_the_whole() -> None:
    assert crc32(CONTENT[7:], crc32(CONTENT[:7])) == crc32(CONTENT) == zlib.crc32(CONTENT)
    assert crc32(b"") == 0
