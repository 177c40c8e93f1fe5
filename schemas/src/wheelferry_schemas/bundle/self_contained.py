"""Where a bundle lies in a file that installs itself (FORMAT.md, section 7).

Such a file is a ZIP archive after one line for the shell. The bundle is its first entry, stored as
it is, so that it can be read in place: what comes before it is foretold but for its size and its
checksum, which is not looked at, since the bundle is checked by what is in itself.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

SHEBANG = b"#!/usr/bin/env python3\n"
BUNDLE = "bundle.tar.zst"
MAX_SIZE = 2**32 - 1
"""What the old kind of ZIP archive can state; some Pythons run no other."""
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_VERSION, _STORED, _MIDNIGHT, _FIRST_DAY = 10, 0, 0, 1 << 5 | 1
HEAD_SIZE = len(SHEBANG) + _LOCAL_HEADER.size + len(BUNDLE)
"""How many bytes come before a bundle."""


class Span(NamedTuple):
    """Where something lies in a file."""

    offset: int
    size: int


def local_header(name: str, crc: int, size: int) -> bytes:
    """Return what comes before a stored file of a ZIP archive: of 1980, and without extras."""
    encoded = name.encode("ascii")
    fixed = (_VERSION, 0, _STORED, _MIDNIGHT, _FIRST_DAY)
    head = _LOCAL_HEADER.pack(b"PK\3\4", *fixed, crc, size, size, len(encoded), 0)
    return head + encoded


def find_bundle(head: bytes) -> Span | None:
    """Return where the bundle lies in a file that begins with `head`, of `HEAD_SIZE` bytes.

    None where it does not begin as a file does that installs itself and holds a bundle.
    """
    if len(head) != HEAD_SIZE or not head.startswith(SHEBANG):
        return None
    fields = _LOCAL_HEADER.unpack_from(head, len(SHEBANG))
    crc, size = fields[6], fields[7]
    if head != SHEBANG + local_header(BUNDLE, crc, size):
        return None
    return Span(offset=HEAD_SIZE, size=size)
