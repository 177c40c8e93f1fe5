"""Writes ZIP archives field by field, so that each can say what no sane program would write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

STORED, DEFLATED = 0, 8
UTF8, DESCRIPTOR = 0x0800, 0x0008
_MAX32 = 0xFFFFFFFF
_DATE = (40 << 9) | (2 << 5) | 2


def deflate(data: bytes) -> bytes:
    """Return a raw deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def zeros_deflated(mebibytes: int) -> bytes:
    """Return a raw deflate stream of that many MiB of zeros, without making them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    second = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + second * (mebibytes - 1) + packer.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """A file of an archive, as its header and the directory are to state it.

    `local` and `central` replace single fields of one of the two: `name`, `flags`, `method`, `crc`,
    `packed_size`, `size`, `version`; `central` also `offset`, `comment` and `disk`. `packed`
    replaces what lies there, `after` follows it, and `hidden` leaves the entry out of the
    directory.
    """

    name: bytes
    content: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    mode: int = 0o100644
    packed: bytes | None = None
    size: int | None = None
    after: bytes = b""
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    local_extra: bytes = b""
    central_extra: bytes = b""
    hidden: bool = False

    def changed(self, **changes: object) -> RawEntry:
        """Return the entry with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def stated(self) -> dict[str, int | bytes]:
        """Return the fields that header and directory share."""
        packed = self.packed_content()
        return {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "packed_size": len(packed),
            "size": len(self.content) if self.size is None else self.size,
            "version": 20,
        }

    def packed_content(self) -> bytes:
        """Return what lies between the header and the next one."""
        if self.packed is not None:
            return self.packed
        return deflate(self.content) if self.method == DEFLATED else self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Fields of the end of the directory that are to differ; `zip64` adds a ZIP64 end.

    `wide` replaces fields of that, `wide_extra` is added to it, `locator` moves what points at it.
    """

    fields: Mapping[str, int] = field(default_factory=dict)
    comment: bytes = b""
    zip64: bool = False
    wide: Mapping[str, int] = field(default_factory=dict)
    wide_extra: bytes = b""
    locator: int = 0


def build(
    entries: Sequence[RawEntry],
    ending: Ending | None = None,
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    suffix: bytes = b"",
) -> bytes:
    """Return the archive; offsets count the prefix."""
    data = bytearray(prefix)
    directory = bytearray()
    number = 0
    for entry in entries:
        offset = len(data)
        data += _local_header(entry) + entry.packed_content() + entry.after
        if not entry.hidden:
            directory += _central_header(entry, offset)
            number += 1
    data += before_directory
    offset = len(data)
    data += directory
    data += _end(ending or Ending(), number, len(directory), offset, len(data))
    return bytes(data) + suffix


def zip64_field(*values: int) -> bytes:
    """Return the extra field of ZIP64 with these values."""
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)


def unicode_path_field(name: bytes, new_name: bytes) -> bytes:
    """Return Info-ZIP's extra field that gives `name` another name."""
    data = struct.pack("<BI", 1, zlib.crc32(name)) + new_name
    return struct.pack("<HH", 0x7075, len(data)) + data


def descriptor(
    entry: RawEntry, *, signed: bool = True, wide: bool = False, **wrong: int
) -> RawEntry:
    """Return the entry with a data descriptor behind it; `wrong` replaces fields of that."""
    fields = {**entry.stated(), **wrong}
    values = [fields[name] for name in ("crc", "packed_size", "size")]
    packed = struct.pack("<I2Q" if wide else "<3I", *values)
    return entry.changed(
        flags=entry.flags | DESCRIPTOR,
        local={"crc": 0, "packed_size": 0, "size": 0, **entry.local},
        after=(b"PK\x07\x08" if signed else b"") + packed,
    )


def _local_header(entry: RawEntry) -> bytes:
    stated = {**entry.stated(), **entry.local}
    name = stated["name"]
    assert isinstance(name, bytes)
    return (
        struct.pack(
            "<4s5H3I2H",
            b"PK\x03\x04",
            stated["version"],
            stated["flags"],
            stated["method"],
            0,
            _DATE,
            stated["crc"],
            stated["packed_size"],
            stated["size"],
            len(name),
            len(entry.local_extra),
        )
        + name
        + entry.local_extra
    )


def _central_header(entry: RawEntry, offset: int) -> bytes:
    stated = {"offset": offset, "comment": b"", "disk": 0, **entry.stated(), **entry.central}
    name, comment = stated["name"], stated["comment"]
    assert isinstance(name, bytes)
    assert isinstance(comment, bytes)
    return (
        struct.pack(
            "<4s6H3I5H2I",
            b"PK\x01\x02",
            (3 << 8) | 20,
            stated["version"],
            stated["flags"],
            stated["method"],
            0,
            _DATE,
            stated["crc"],
            stated["packed_size"],
            stated["size"],
            len(name),
            len(entry.central_extra),
            len(comment),
            stated["disk"],
            0,
            entry.mode << 16,
            stated["offset"],
        )
        + name
        + entry.central_extra
        + comment
    )


def _end(ending: Ending, number: int, size: int, offset: int, at: int) -> bytes:
    fields = {
        "disk": 0,
        "first_disk": 0,
        "here": number,
        "number": number,
        "size": size,
        "offset": offset,
    }
    wide = b""
    if ending.zip64:
        stated = {**fields, **ending.wide}
        wide = (
            struct.pack(
                "<4sQ2H2I4Q",
                b"PK\x06\x06",
                44 + len(ending.wide_extra),
                45,
                45,
                *(stated[name] for name in ("disk", "first_disk", "here", "number")),
                stated["size"],
                stated["offset"],
            )
            + ending.wide_extra
        )
        wide += struct.pack("<4sIQI", b"PK\x06\x07", 0, at + ending.locator, 1)
    fields |= ending.fields
    return (
        wide
        + struct.pack("<4s4H2IH", b"PK\x05\x06", *fields.values(), len(ending.comment))
        + ending.comment
    )
