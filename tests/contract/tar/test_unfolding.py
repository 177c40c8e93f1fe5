"""One gzip member or one zstd frame is read to its last byte, and nothing may follow it."""

import gzip
import io
import os
import zlib
from collections.abc import Callable

import pytest
import zstandard

from wheelferry_schemas.tar.tar_headers import BrokenTarError
from wheelferry_schemas.tar.unfolding import Unfolder, unfolded

DATA = os.urandom(5000) + bytes(100_000)
KINDS: dict[str, tuple[Callable[[bytes], bytes], Callable[[], Unfolder]]] = {
    "gzip": (gzip.compress, lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    "zstd": (zstandard.compress, lambda: zstandard.ZstdDecompressor().decompressobj()),
}


def reader(kind: str, packed: bytes) -> Callable[[int], bytes]:
    return unfolded(io.BytesIO(packed).read, KINDS[kind][1]())


@pytest.mark.parametrize("size", [1, 512, 4096, 10**6])
@pytest.mark.parametrize("kind", KINDS)
def test_reads_as_many_bytes_as_asked_for(kind: str, size: int) -> None:
    read = reader(kind, KINDS[kind][0](DATA[:9000]))
    pieces = []
    while piece := read(size):
        pieces.append(piece)
    assert b"".join(pieces) == DATA[:9000]
    assert all(len(piece) == size for piece in pieces[:-1])
    assert read(size) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_a_stream_that_is_cut(kind: str) -> None:
    packed = KINDS[kind][0](DATA)
    for end in (0, 3, len(packed) // 2, len(packed) - 1):
        read = reader(kind, packed[:end])
        with pytest.raises(BrokenTarError, match="it is cut short"):
            read(len(DATA) + 1)


@pytest.mark.parametrize("more", [b"\0", b"hidden", bytes(4096)])
@pytest.mark.parametrize("fill", [0, 1024, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_refuses_whatever_follows(kind: str, fill: int, more: bytes) -> None:
    pack, _ = KINDS[kind]
    data = os.urandom(fill)
    for following in (more, pack(data)):
        with pytest.raises(BrokenTarError, match="data follows its end"):
            reader(kind, pack(data) + following)(fill + 1)
