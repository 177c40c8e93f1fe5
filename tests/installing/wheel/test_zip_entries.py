"""Contents of an archive's files, at once and piece by piece."""

from __future__ import annotations

import io
import os
import tracemalloc
import zlib
from collections.abc import Callable
from typing import BinaryIO

import pytest

from vectors.raw_zip import DEFLATED, STORED, deflate, zeros_deflated
from wheelferry_installer.wheel.record import hash_of
from wheelferry_installer.wheel.zip_directory import ZipEntry
from wheelferry_installer.wheel.zip_entries import ZipEntries
from wheelferry_schemas.errors import MalformedError

CONTENT = b"".join(number.to_bytes(4, "big") for number in range(50_000))
DIGEST = hash_of(CONTENT, "sha256=")
BEFORE, AFTER = b"what lies before", b"what lies after"
ZEROS = zeros_deflated(32)
MEBIBYTE = 2**20

Read = Callable[[ZipEntries, ZipEntry, str], bytes]


def _at_once(entries: ZipEntries, entry: ZipEntry, digest: str) -> bytes:
    return entries.read(entry, digest)


def _whole_stream(entries: ZipEntries, entry: ZipEntry, digest: str) -> bytes:
    with entries.open(entry, digest) as stream:
        data = stream.read()
        return data + stream.read()


def _in_pieces(entries: ZipEntries, entry: ZipEntry, digest: str) -> bytes:
    pieces = []
    with entries.open(entry, digest) as stream:
        while piece := stream.read(1000):
            assert len(piece) <= 1000
            pieces.append(piece)
    return b"".join(pieces)


def _entry(
    method: int, packed: bytes, size: int, content: bytes = CONTENT
) -> tuple[ZipEntries, ZipEntry]:
    file = io.BytesIO(BEFORE + packed + AFTER)
    entry = ZipEntry(
        name="foo.bin",
        method=method,
        encrypted=False,
        mode=0o644,
        packed_size=len(packed),
        size=size,
        crc=zlib.crc32(content),
        start=len(BEFORE),
    )
    return ZipEntries(file, MalformedError), entry


def _good(method: int) -> tuple[ZipEntries, ZipEntry]:
    packed = deflate(CONTENT) if method == DEFLATED else CONTENT
    return _entry(method, packed, len(CONTENT))


ways = pytest.mark.parametrize("read", [_at_once, _whole_stream, _in_pieces])
methods = pytest.mark.parametrize("method", [STORED, DEFLATED])
OTHER_SIZE = "'foo.bin' has another size than it states"
OTHER_HASH = "'foo.bin' does not have the hash that RECORD states"


def _refusal(read: Read, entries: ZipEntries, entry: ZipEntry, digest: str = "") -> str:
    with pytest.raises(MalformedError) as caught:
        read(entries, entry, digest)
    return caught.value.message


@ways
@methods
@pytest.mark.parametrize("kind", ["", "sha256=", "sha384=", "sha512="])
def test_content_is_what_was_packed(read: Read, method: int, kind: str) -> None:
    assert read(*_good(method), kind and hash_of(CONTENT, kind)) == CONTENT


@ways
@methods
def test_empty_content_is_read(read: Read, method: int) -> None:
    packed = deflate(b"") if method == DEFLATED else b""
    assert read(*_entry(method, packed, 0, b""), hash_of(b"", "sha256=")) == b""


@ways
@methods
@pytest.mark.parametrize("kind", ["sha256=", "sha512="])
def test_refuses_other_hash(read: Read, method: int, kind: str) -> None:
    assert _refusal(read, *_good(method), hash_of(b"x", kind)) == OTHER_HASH


@ways
@methods
def test_refuses_other_hash_of_empty_content(read: Read, method: int) -> None:
    packed = deflate(b"") if method == DEFLATED else b""
    assert _refusal(read, *_entry(method, packed, 0, b""), DIGEST) == OTHER_HASH


@ways
@methods
@pytest.mark.parametrize("digest", ["", DIGEST])
@pytest.mark.parametrize("crc", [0, zlib.crc32(CONTENT) ^ 1])
def test_refuses_other_crc(read: Read, method: int, digest: str, crc: int) -> None:
    entries, entry = _good(method)
    said = _refusal(read, entries, entry._replace(crc=crc), digest)
    assert said == "'foo.bin' does not have the CRC that it states"


@ways
@methods
@pytest.mark.parametrize("more", [-1, 1])
def test_refuses_other_size(read: Read, method: int, more: int) -> None:
    entries, entry = _good(method)
    said = _refusal(read, entries, entry._replace(size=entry.size + more))
    assert said == OTHER_SIZE


@ways
@pytest.mark.parametrize("less", [1, 100])
def test_refuses_stream_that_is_cut(read: Read, less: int) -> None:
    entries, entry = _good(DEFLATED)
    assert _refusal(read, entries, entry._replace(packed_size=entry.packed_size - less))


@ways
def test_refuses_bytes_after_the_stream(read: Read) -> None:
    packed = deflate(CONTENT) + b"x"
    assert _refusal(read, *_entry(DEFLATED, packed, len(CONTENT))) == OTHER_SIZE


@ways
def test_refuses_many_bytes_after_the_stream(read: Read) -> None:
    packed = deflate(b"x") + bytes(100_000)
    assert _refusal(read, *_entry(DEFLATED, packed, 1, b"x")) == OTHER_SIZE


@ways
def test_refuses_noise(read: Read) -> None:
    said = _refusal(read, *_entry(DEFLATED, b"\xff" * 100, 100))
    assert said == "'foo.bin' cannot be inflated"


@ways
def test_refuses_stored_content_that_ends_with_the_file(read: Read) -> None:
    entries, entry = _good(STORED)
    longer = len(CONTENT) + len(AFTER) + 1
    assert _refusal(read, entries, entry._replace(packed_size=longer, size=longer)) == OTHER_SIZE


@ways
def test_nothing_is_unfolded_far_beyond_the_stated_size(read: Read) -> None:
    entries, entry = _entry(DEFLATED, ZEROS, 10_000, bytes(10_000))
    tracemalloc.start()
    try:
        assert _refusal(read, entries, entry) == OTHER_SIZE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEBIBYTE


@ways
def test_nothing_is_read_before_or_after_the_packed_content(read: Read) -> None:
    entries, entry = _good(STORED)
    crc = zlib.crc32(CONTENT[4:12])
    inner = entry._replace(start=entry.start + 4, size=8, packed_size=8, crc=crc)
    assert read(entries, inner, "") == CONTENT[4:12]


# Streams.


@methods
def test_stream_is_read_again_from_its_beginning(method: int) -> None:
    entries, entry = _good(method)
    with entries.open(entry, DIGEST) as stream:
        assert stream.read(10) == CONTENT[:10]
        assert stream.seek(0) == 0
        assert stream.read() == CONTENT


@methods
def test_two_streams_of_one_file_do_not_disturb_each_other(method: int) -> None:
    entries, entry = _good(method)
    with entries.open(entry, DIGEST) as one, entries.open(entry, DIGEST) as other:
        assert one.read(100_000) == CONTENT[:100_000]
        assert other.read(100_000) == CONTENT[:100_000]
        assert one.read() == other.read() == CONTENT[100_000:]


@methods
def test_last_byte_of_a_wrong_stream_is_not_given_away(method: int) -> None:
    entries, entry = _good(method)
    with entries.open(entry, hash_of(b"x", "sha256=")) as stream:
        assert stream.read(len(CONTENT) - 1) == CONTENT[:-1]
        with pytest.raises(MalformedError):
            stream.read(1)


@methods
def test_asking_for_nothing_gives_nothing(method: int) -> None:
    entries, entry = _good(method)
    with entries.open(entry, DIGEST) as stream:
        assert stream.read(0) == b""
        assert stream.read() == CONTENT
        assert stream.read(0) == b""


@pytest.fixture
def stream() -> BinaryIO:
    entries, entry = _good(DEFLATED)
    return entries.open(entry)


def test_stream_can_be_read_and_rewound(stream: BinaryIO) -> None:
    assert stream.readable()
    assert stream.seekable()


def test_stream_tells_its_position(stream: BinaryIO) -> None:
    stream.read(7)
    assert stream.tell() == 7


@pytest.mark.parametrize(
    ("offset", "whence"), [(1, os.SEEK_SET), (1, os.SEEK_CUR), (0, os.SEEK_END), (-1, os.SEEK_SET)]
)
def test_only_the_beginning_can_be_sought(stream: BinaryIO, offset: int, whence: int) -> None:
    with pytest.raises(io.UnsupportedOperation, match="only the beginning"):
        stream.seek(offset, whence)
