"""The seek table at the end of an archive (zstd's contrib/seekable_format, version 0.1.0).

A skippable frame that lists the compressed and the plain size of every frame before it, so that
members can be read in any order and in parallel. All numbers are little-endian:

    0   u32   0x184D2A5E, a skippable frame
    4   u32   size of what follows
    8   n x   { u32 compressed size, u32 plain size }
        u32   number of frames
        u8    descriptor, 0: no checksums here, the frames carry their own
        u32   0x8F92EAB1
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from wheelferry_schemas.errors import TamperedError

FOOTER_SIZE = 9
MAX_FRAMES = 2**18
"""2 TiB, at 8 MiB each."""
_HEADER = struct.Struct("<II")
_ENTRY = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_SKIPPABLE = 0x184D2A5E
_SEEKABLE = 0x8F92EAB1


class Frame(NamedTuple):
    """Where a frame lies in the file, and its decompressed size."""

    offset: int
    compressed_size: int
    size: int


def encode(frames: Sequence[tuple[int, int]]) -> bytes:
    """Return the table for frames given as (compressed size, plain size)."""
    entries = b"".join(_ENTRY.pack(*frame) for frame in frames)
    footer = _FOOTER.pack(len(frames), 0, _SEEKABLE)
    return _HEADER.pack(_SKIPPABLE, len(entries) + len(footer)) + entries + footer


def size_from_footer(footer: bytes) -> int:
    """Return the size of the whole table, from its last nine bytes."""
    if len(footer) != FOOTER_SIZE:
        raise TamperedError("the file is too short to be a bundle")
    number, descriptor, magic = _FOOTER.unpack(footer)
    if magic != _SEEKABLE:
        raise TamperedError("the file does not end as a bundle does")
    if descriptor != 0 or not 0 < number <= MAX_FRAMES:
        raise TamperedError("the seek table of the bundle is of an unknown kind")
    return _HEADER.size + int(number) * _ENTRY.size + FOOTER_SIZE


def decode(table: bytes, file_size: int) -> tuple[Frame, ...]:
    """Return the frames that a table lists.

    Raises `TamperedError` unless they fill the file from its first byte to the table.
    """
    kind, size = _HEADER.unpack_from(table)
    if kind != _SKIPPABLE or size != len(table) - _HEADER.size:
        raise TamperedError("the seek table of the bundle is damaged")
    frames = []
    offset = 0
    for compressed_size, plain_size in _ENTRY.iter_unpack(table[_HEADER.size : -FOOTER_SIZE]):
        frames.append(Frame(offset=offset, compressed_size=compressed_size, size=plain_size))
        offset += compressed_size
    if offset + len(table) != file_size:
        raise TamperedError(
            "the frames of the bundle do not fill the file: it was cut short or added to"
        )
    return tuple(frames)
