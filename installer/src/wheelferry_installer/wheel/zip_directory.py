"""Reads the directory of a ZIP archive; refuses archives that two programs could read differently.

A ZIP archive describes its files twice: in a header before each, and in the directory at its end.
Programs that trust one and programs that trust the other must get the same files, so

- the archive is its files, its directory and the end of that, one after the other, from the first
  byte to the last: nothing before, between or after them, no comments, no overlaps;
- a file's header says the same as the directory: name, flags, method, CRC and both sizes;
- ZIP64 fields are present where needed, and do not contradict the others elsewhere;
- no file needs a later version of the format than that of ZIP64, which programs treat differently.

Section numbers are those of PKWARE's APPNOTE.TXT.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from wheelferry_schemas.errors import MalformedError

_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_DESCRIPTORS = tuple(
    (struct.Struct(form), signed)
    for form, signed in (("<4s3L", True), ("<4sL2Q", True), ("<3L", False), ("<L2Q", False))
)  # 4.3.9
_LONGEST_DESCRIPTOR = 24
_FIELD = struct.Struct("<HH")  # 4.5.1

_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x0001, 0x0008, 0x0800
_KNOWN_FLAGS = _ENCRYPTED | 0x0006 | _DESCRIPTOR | _UTF8
"""0x0006 says how hard a file was deflated."""
_MAX_VERSION = 45
"""4.5, that with ZIP64 (4.4.3.2)."""
_MAX_NAME = 1000
"""Most file systems take 255 bytes for a name and 4,096 for a path."""


class ZipEntry(NamedTuple):
    """A file or a folder of an archive. `start` is where its packed content begins."""

    name: str
    method: int
    encrypted: bool
    mode: int
    packed_size: int
    size: int
    crc: int
    start: int

    @property
    def is_folder(self) -> bool:
        """Whether this stands for a folder, which has no content."""
        return self.name.endswith("/")


class _Stated(NamedTuple):
    """An entry as the directory describes it."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    mode: int
    offset: int
    version: int


def read_directory(file: BinaryIO, max_entries: int) -> tuple[list[ZipEntry], list[str]]:
    """Return an archive's entries in the directory's order, and the problems of single ones.

    Raises `MalformedError` if the archive as a whole is invalid.
    """
    offset, size, number = _read_end(file)
    if number > max_entries:
        raise MalformedError(f"it holds more than {max_entries} files")
    file.seek(offset)
    stated = _parse_directory(_read(file, size), number)
    starts, problems = _compare_headers(file, stated, offset)
    entries = [
        ZipEntry(name, method, bool(flags & _ENCRYPTED), mode, packed_size, size, crc, start)
        for (_, name, flags, method, crc, packed_size, size, mode, _, _), start in zip(
            stated, starts, strict=True
        )
    ]
    return entries, problems


def stated_sizes(ending: bytes) -> list[int] | None:
    """Return the unpacked sizes of an archive's entries, from its last bytes.

    None if these do not contain the whole directory, or if it is a ZIP64 one. Nothing else is
    checked; raises `MalformedError` if the directory cannot be read.
    """
    at = len(ending) - _END.size
    if at < 0:
        return None
    magic, _, _, _, number, length, _, comment = _END.unpack_from(ending, at)
    if magic != b"PK\5\6" or comment or length > at or number == _MAX16:
        return None
    return [one.size for one in _parse_directory(ending[at - length : at], number)]


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise MalformedError("it is cut short")
    return data


def _read_end(file: BinaryIO) -> tuple[int, int, int]:
    """Return offset, size and number of entries of the directory."""
    size = file.seek(0, os.SEEK_END)
    at = size - _END.size
    if at < 0:
        raise MalformedError("it is too short")
    file.seek(at)
    magic, disk, first_disk, here, number, length, offset, comment = _END.unpack(
        _read(file, _END.size)
    )
    if magic != b"PK\5\6" or comment:
        raise MalformedError("it does not end as a ZIP archive without a comment does")
    narrow = (disk, first_disk, here, number, length, offset)
    limits = (_MAX16, _MAX16, _MAX16, _MAX16, _MAX32, _MAX32)
    wide = _read_end64(file, at)
    if wide is None:
        if any(value == limit for value, limit in zip(narrow, limits, strict=True)):
            raise MalformedError("its end refers to ZIP64 fields that are not there")
        wide = narrow
    elif any(
        value not in (true, limit) for value, true, limit in zip(narrow, wide, limits, strict=True)
    ):
        raise MalformedError("its end and its ZIP64 end say different things")
    disk, first_disk, here, number, length, offset = wide
    if disk or first_disk or here != number:
        raise MalformedError("it is a part of an archive of several files")
    end = at if wide is narrow else at - _LOCATOR.size - _END64.size
    if offset + length != end:
        raise MalformedError("its directory does not end where its end begins")
    return offset, length, number


def _read_end64(file: BinaryIO, at: int) -> tuple[int, int, int, int, int, int] | None:
    """Return the contents of the ZIP64 end before the end at `at`, None if there is none."""
    if at < _LOCATOR.size:
        return None
    file.seek(at - _LOCATOR.size)
    magic, disk, offset, disks = _LOCATOR.unpack(_read(file, _LOCATOR.size))
    if magic != b"PK\6\7":
        return None
    if disk or disks != 1 or offset + _END64.size != at - _LOCATOR.size:
        raise MalformedError("its ZIP64 end is not where it is said to be")
    file.seek(offset)
    fields = _END64.unpack(_read(file, _END64.size))
    if fields[0] != b"PK\6\6" or fields[1] != _END64.size - 12:
        raise MalformedError("its ZIP64 end is invalid, or has unknown fields")
    wide: tuple[int, int, int, int, int, int] = fields[4:]
    return wide


def _parse_directory(data: bytes, number: int) -> list[_Stated]:
    stated = []
    at = 0
    for _ in range(number):
        end = at + _CENTRAL.size
        if end > len(data):
            raise MalformedError("its directory holds fewer files than are counted")
        fields = _CENTRAL.unpack_from(data, at)
        name_end = end + fields[10]
        at = name_end + fields[11] + fields[12]
        if fields[0] != b"PK\1\2" or at > len(data):
            raise MalformedError("its directory cannot be read")
        raw = data[end:name_end]
        name = _decode(raw, fields[3])
        if fields[12] or fields[13]:
            raise MalformedError(f"{name!r} has a comment, or lies in another archive")
        packed_size, size, offset = fields[8], fields[9], fields[16]
        extra = data[name_end:at]
        if extra or _MAX32 in (packed_size, size, offset):
            packed_size, size, offset = _widen(name, raw, extra, packed_size, size, offset)
        version, flags, method, crc = fields[2], fields[3], fields[4], fields[7]
        mode = fields[15] >> 16
        stated.append(
            _Stated(raw, name, flags, method, crc, packed_size, size, mode, offset, version)
        )
    if at != len(data):
        raise MalformedError("its directory holds more than the files that are counted")
    return stated


def _decode(raw: bytes, flags: int) -> str:
    """Return a name; one that is neither ASCII nor marked as UTF-8 could be in any encoding."""
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise MalformedError(f"the name {raw!r} is in no known encoding") from error
    if len(raw) > _MAX_NAME:
        raise MalformedError(f"the name {name[:40]!r}… is longer than {_MAX_NAME} bytes")
    return name


def _widen(
    name: str, raw: bytes, extra: bytes, packed_size: int, size: int, offset: int
) -> tuple[int, int, int]:
    """Return packed size, size and offset, from the ZIP64 field if it has them."""
    wide = _fields(name, raw, extra).get(_ZIP64, b"")
    missing = [value == _MAX32 for value in (size, packed_size, offset)]
    if len(wide) != 8 * sum(missing):
        raise MalformedError(f"the ZIP64 field of {name!r} is not what its entry requires")
    values = iter(struct.unpack(f"<{sum(missing)}Q", wide))
    size, packed_size, offset = (
        next(values) if is_missing else value
        for value, is_missing in zip((size, packed_size, offset), missing, strict=True)
    )
    return packed_size, size, offset


def _fields(name: str, raw: bytes, extra: bytes) -> dict[int, bytes]:
    """Return the extra fields that change what an entry means, by their number."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(extra):
        start = at + _FIELD.size
        number, size = _FIELD.unpack_from(extra, at) if start <= len(extra) else (0, len(extra))
        at = start + size
        if at > len(extra):
            raise MalformedError(f"the extra fields of {name!r} cannot be read")
        if number in (_ZIP64, _UNICODE_PATH):
            if number in fields:
                raise MalformedError(f"{name!r} has the extra field {number:#06x} twice")
            fields[number] = extra[start:at]
    if _UNICODE_PATH in fields and fields[_UNICODE_PATH][5:] != raw:
        raise MalformedError(f"{name!r} has another name in its extra fields")
    return fields


def _compare_headers(
    file: BinaryIO, stated: Sequence[_Stated], directory: int
) -> tuple[list[int], list[str]]:
    """Return where each entry's packed content begins and how headers differ from the directory."""
    starts = [0] * len(stated)
    problems: list[str] = []
    order = sorted(range(len(stated)), key=lambda number: stated[number].offset)
    offsets = [*(stated[number].offset for number in order), directory]
    if order and offsets[-2] >= directory:
        raise MalformedError(f"{stated[order[-1]].name!r} does not lie before the directory")
    before, expected = "its beginning", 0
    for number, offset, following in zip(order, offsets, offsets[1:], strict=False):
        one = stated[number]
        if offset != expected:
            raise MalformedError(
                f"{one.name!r} is not where {before} ends: they overlap, or something lies between"
            )
        starts[number], found = _compare_header(file, one, directory)
        problems += found
        before, expected = repr(one.name), starts[number] + one.packed_size
        if one.flags & _DESCRIPTOR:
            problems += _compare_descriptor(file, one, expected, following)
            expected = following
    if expected != directory:
        raise MalformedError(f"its directory does not begin where {before} ends")
    return starts, problems


def _compare_header(file: BinaryIO, one: _Stated, directory: int) -> tuple[int, list[str]]:
    """Return where the packed content after a header begins, and what is wrong with the header."""
    file.seek(one.offset)
    # The directory follows every header, so that at least that much can be read.
    data = _read(file, _LOCAL.size + len(one.raw_name))
    header = _LOCAL.unpack_from(data)
    name_size, extra_size = header[9:]
    start = one.offset + _LOCAL.size + name_size + extra_size
    if header[0] != b"PK\3\4" or start > directory:
        raise MalformedError(f"{one.name!r} has no header")
    raw, extra = data[_LOCAL.size :], b""
    if extra_size or name_size != len(raw):
        file.seek(one.offset + _LOCAL.size)
        raw, extra = _read(file, name_size), _read(file, extra_size)
    problems = []
    if (raw, *header[2:4], *header[6:9]) != (one[0], *one[2:7]) or extra:
        problems = _differences(one, raw, header, extra)
    if one.flags & ~_KNOWN_FLAGS:
        problems.append(f"{one.name!r} has flags that are not known: {one.flags:#06x}")
    if max(one.version, header[1]) > _MAX_VERSION:
        problems.append(f"{one.name!r} needs a later version of ZIP than 4.5 to be read")
    return start, problems


def _compare_descriptor(file: BinaryIO, one: _Stated, at: int, end: int) -> list[str]:
    """Return what is wrong with the data descriptor between `at` and `end`."""
    if not at < end <= at + _LONGEST_DESCRIPTOR:
        raise MalformedError(f"{one.name!r} is not followed by its data descriptor")
    file.seek(at)
    if not _describes(_read(file, end - at), one):
        return [f"{one.name!r} has another size or CRC in its data descriptor"]
    return []


def _differences(
    one: _Stated, raw: bytes, header: tuple[bytes | int, ...], extra: bytes
) -> list[str]:
    """Return the fields in which a header differs from the directory."""
    wide = _fields(one.name, raw, extra).get(_ZIP64)
    crc, packed_size, size = header[6:9]
    if wide is not None:
        if len(wide) != 16:
            return [f"{one.name!r} has a ZIP64 field of another length than a header's"]
        wide_size, wide_packed_size = struct.unpack("<2Q", wide)
        # If the sizes are stated, the field should be ignored; some readers use it all the same.
        for stated, true in ((wide_size, one.size), (wide_packed_size, one.packed_size)):
            if stated != true and not (one.flags & _DESCRIPTOR and stated == 0):
                return [f"{one.name!r} has another size than it states in its ZIP64 field"]
        size = wide_size if size == _MAX32 else size
        packed_size = wide_packed_size if packed_size == _MAX32 else packed_size
    found = {
        "name": (raw, one.raw_name),
        "flags": (header[2], one.flags),
        "method": (header[3], one.method),
        "CRC": (crc, one.crc),
        "packed size": (packed_size, one.packed_size),
        "size": (size, one.size),
    }
    # Such a header is written before the sizes are known.
    unknown = ("CRC", "packed size", "size") if one.flags & _DESCRIPTOR else ()
    return [
        f"{one.name!r} has another {what} than it states in its header"
        for what, (here, there) in found.items()
        if here != there and not (what in unknown and here == 0)
    ]


def _describes(descriptor: bytes, one: _Stated) -> bool:
    """Return whether a data descriptor, in any of its forms, agrees with the directory."""
    wanted = (one.crc, one.packed_size, one.size)
    for form, signed in _DESCRIPTORS:
        if form.size == len(descriptor):
            found = form.unpack(descriptor)
            return found == ((b"PK\7\x08", *wanted) if signed else wanted)
    return False
