"""Writes tar archives field by field, so that each can say what no sane program would write."""

from __future__ import annotations

from collections.abc import Mapping

BLOCK = 512
END = bytes(2 * BLOCK)
_FIELDS = {
    "name": (0, 100),
    "mode": (100, 8),
    "uid": (108, 8),
    "gid": (116, 8),
    "size": (124, 12),
    "time": (136, 12),
    "checksum": (148, 8),
    "type": (156, 1),
    "link": (157, 100),
    "magic": (257, 8),
    "user": (265, 32),
    "group": (297, 32),
    "major": (329, 8),
    "minor": (337, 8),
    "prefix": (345, 155),
    "rest": (500, 12),
}
GNU = b"ustar  \0"


def header(name: bytes, length: int = 0, **fields: bytes) -> bytes:
    """Return a header of a regular file; `fields` replaces single ones, filled up with zeros."""
    stated: Mapping[str, bytes] = {
        "name": name,
        "mode": b"0000644",
        "uid": b"0000000",
        "gid": b"0000000",
        "size": b"%011o" % length,
        "time": b"14000000000",
        "type": b"0",
        "magic": b"ustar\x0000",
        "major": b"0000000",
        "minor": b"0000000",
        **fields,
    }
    block = bytearray(BLOCK)
    for field, value in stated.items():
        at, width = _FIELDS[field]
        assert len(value) <= width, field
        block[at : at + len(value)] = value
    if "checksum" not in fields:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    """Return a content filled up with zeros to whole blocks."""
    return content + bytes(-len(content) % BLOCK)


def entry(name: bytes, content: bytes = b"", **fields: bytes) -> bytes:
    """Return a header and its content."""
    return header(name, len(content), **fields) + padded(content)


def folder(name: bytes, **fields: bytes) -> bytes:
    """Return a folder."""
    return header(name, 0, **{"type": b"5", "mode": b"0000755", **fields})


def link(name: bytes, target: bytes, **fields: bytes) -> bytes:
    """Return a symbolic link."""
    return header(name, 0, **{"type": b"2", "link": target, **fields})


def record(key: bytes, value: bytes) -> bytes:
    """Return a record of a pax header, whose length counts itself."""
    size = len(key) + len(value) + 3
    digits = len(str(size + len(str(size))))
    return b"%d %s=%s\n" % (size + digits, key, value)


def pax(*records: bytes, **fields: bytes) -> bytes:
    """Return a pax header of these records."""
    return entry(b"././@PaxHeader", b"".join(records), **{"type": b"x", **fields})


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """Return a long name, or with `K` the long target of a link, as GNU tar writes it."""
    return entry(b"././@LongLink", name + b"\0", type=kind, magic=GNU)
