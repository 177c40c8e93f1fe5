"""ZIP archives with something wrong in them that `zipfile` would not write."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_CENTRAL = {
    "made_by": (4, "<H"),
    "flags": (8, "<H"),
    "method": (10, "<H"),
    "crc": (16, "<I"),
    "compressed_size": (20, "<I"),
    "size": (24, "<I"),
    "attributes": (38, "<I"),
    "offset": (42, "<I"),
}
"""Where fields of a central directory's entry are (APPNOTE.TXT, section 4.3.12)."""
_CENTRAL_NAME = 46


def _entry(data: bytes, name: str) -> int:
    """Return where the entry of a file in the central directory begins."""
    wanted = name.encode()
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        start = at + _CENTRAL_NAME
        (size,) = struct.unpack_from("<H", data, at + 28)
        if data[start : start + size] == wanted:
            return at
        at = data.find(b"PK\x01\x02", at + 4)
    raise KeyError(name)


def patch(data: bytes, name: str, **fields: int) -> bytes:
    """Return the archive with fields of a file's entry in the central directory replaced."""
    patched = bytearray(data)
    at = _entry(data, name)
    for field, value in fields.items():
        offset, form = _CENTRAL[field]
        struct.pack_into(form, patched, at + offset, value)
    return bytes(patched)


def with_mode(data: bytes, modes: Mapping[str, int]) -> bytes:
    """Return the archive with other Unix modes, file type included, for these files."""
    for name, mode in modes.items():
        # 3 in the upper byte: made on Unix, so that the mode means something.
        data = patch(data, name, attributes=mode << 16, made_by=(3 << 8) | 20)
    return data


def local_header(data: bytes, name: str) -> int:
    """Return where the local header of a file begins."""
    (offset,) = struct.unpack_from("<I", data, _entry(data, name) + 42)
    return int(offset)


def content(data: bytes, name: str) -> slice:
    """Return where the packed content of a file lies."""
    at = local_header(data, name)
    name_size, extra_size = struct.unpack_from("<HH", data, at + 26)
    (size,) = struct.unpack_from("<I", data, _entry(data, name) + 20)
    start = at + 30 + name_size + extra_size
    return slice(start, start + size)
