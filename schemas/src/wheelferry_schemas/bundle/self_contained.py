"""Where a bundle lies in a self-contained file (FORMAT.md, section 7).

Such a file is a ZIP archive after one line for the shell. The bundle is its first entry, stored
uncompressed, so that it can be read in place: the bytes before it are fixed except for its size and
checksum. The checksum is ignored, since the bundle itself states the hash of all that it holds.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

SHEBANG = b"#!/usr/bin/env python3\n"
BUNDLE = "bundle.tar.zst"
MAX_SIZE = 2**32 - 1
"""The limit of ZIP archives without ZIP64; some Pythons run no others."""
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_VERSION, _STORED, _MIDNIGHT, _FIRST_DAY = 10, 0, 0, 1 << 5 | 1
HEAD_SIZE = len(SHEBANG) + _LOCAL_HEADER.size + len(BUNDLE)
"""The number of bytes before a bundle."""


class Span(NamedTuple):
    """A range of bytes in a file."""

    offset: int
    size: int


def local_header(name: str, crc: int, size: int) -> bytes:
    """Return the local header of a stored file in a ZIP archive: dated 1980, no extra fields."""
    encoded = name.encode("ascii")
    fixed = (_VERSION, 0, _STORED, _MIDNIGHT, _FIRST_DAY)
    head = _LOCAL_HEADER.pack(b"PK\3\4", *fixed, crc, size, size, len(encoded), 0)
    return head + encoded


def find_bundle(head: bytes) -> Span | None:
    """Return where the bundle lies in a file whose first `HEAD_SIZE` bytes are `head`.

    None if that is not how a self-contained file with a bundle begins.
    """
    if len(head) != HEAD_SIZE or not head.startswith(SHEBANG):
        return None
    fields = _LOCAL_HEADER.unpack_from(head, len(SHEBANG))
    crc, size = fields[6], fields[7]
    if head != SHEBANG + local_header(BUNDLE, crc, size):
        return None
    return Span(offset=HEAD_SIZE, size=size)
