"""Reads tar archives by an allow list, and refuses what two programs could read differently.

Known are regular files, folders and symbolic links, in headers as POSIX and GNU tar spell them,
with longer names in a pax header or in GNU's `././@LongLink`. What GNU tar, bsdtar and Python write
of such files is read. Refused are all other types, numbers in other notations, names that are
stated twice, contents where there are none, bytes other than zeros where nothing is to be, and
anything after the end.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

BLOCK = 512
MAX_END = 2**20
"""Programs pad the last record with zeros, at most this many."""
_ZEROS = bytes(BLOCK)
_PIECE = 2**18
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12s")
_CHECKSUM = slice(148, 156)
_POSIX, _GNU = b"ustar\x0000", b"ustar  \0"
_KINDS: Mapping[bytes, Literal["file", "folder", "link"]] = {
    b"0": "file",
    b"5": "folder",
    b"2": "link",
}
_PAX, _LONG_NAME, _LONG_LINK = b"x", b"L", b"K"
_MAX_EXTENDED = {_PAX: 2**20, _LONG_NAME: 2**13, _LONG_LINK: 2**13}
_FITS_A_HEADER = 99
_NEARLY_FULL = 97
"""Some programs do not cut a name in the middle of a character."""
_OCTAL = re.compile(rb"[0-7]+[ \0]*")
_TEXT = re.compile(rb"([^\0]*)\0*")
_RECORD = re.compile(rb"([1-9][0-9]{0,6}) ([^\0\n=]+)=")
_TIME = re.compile(rb"[0-9]{1,11}(\.[0-9]{0,20})?")
_NUMBER = re.compile(rb"[0-9]{1,20}")
_ANY = re.compile(rb"[^\0]*")
_PAX_VALUES = {
    **dict.fromkeys(("path", "linkpath"), re.compile(rb"[^\0]+")),
    **dict.fromkeys(("mtime", "atime", "ctime"), _TIME),
    **dict.fromkeys(("uid", "gid", "size"), _NUMBER),
    **dict.fromkeys(("uname", "gname", "SCHILY.fflags", "LIBARCHIVE.creationtime"), _ANY),
}
_ATTRIBUTES = ("SCHILY.xattr.", "LIBARCHIVE.xattr.", "SCHILY.acl.", "RHT.security.")
"""Extended attributes with any value; they are not unpacked."""


class BrokenTarError(ValueError):
    """The data is not a tar archive of the known kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TarEntry:
    """A file, folder or symbolic link; `name` is empty for the root folder."""

    name: str
    kind: Literal["file", "folder", "link"]
    size: int
    mode: int
    time: float
    target: str = ""


class _Header(NamedTuple):
    name: bytes
    mode: bytes
    uid: bytes
    gid: bytes
    size: bytes
    time: bytes
    checksum: bytes
    type: bytes
    link: bytes
    magic: bytes
    user: bytes
    group: bytes
    major: bytes
    minor: bytes
    prefix: bytes
    rest: bytes


def read_entries(read: Callable[[int], bytes]) -> Iterator[tuple[TarEntry, Iterator[bytes]]]:
    """Yield each entry of a tar archive with its content; raises `BrokenTarError`.

    `read` returns as many bytes as asked for, fewer at the end alone. What is left of a content
    when the next entry is asked for is passed over.
    """
    extended: dict[bytes, bytes] = {}
    while (block := _read(read, BLOCK)) != _ZEROS:
        header = _parse_header(block)
        size = _octal(header.size, "size")
        if header.type in _MAX_EXTENDED:
            if header.type in extended or (extended and _PAX in (header.type, *extended)):
                raise BrokenTarError("a name is stated in several ways")
            if size > _MAX_EXTENDED[header.type]:
                raise BrokenTarError(
                    f"{_shown(header.name)} has an extended header of {size} bytes"
                )
            extended[header.type] = _read(read, size)
        else:
            entry = _entry(header, size, extended)
            extended = {}
            content = _content(read, size)
            yield entry, content
            for _ in content:
                pass
        if _read(read, -size % BLOCK).strip(b"\0"):
            raise BrokenTarError(f"what follows {_shown(header.name)} is not zeros")
    if extended:
        raise BrokenTarError("an extended header is followed by nothing")
    _read_end(read)


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    data = read(size)
    if len(data) != size:
        raise BrokenTarError("it is cut short")
    return data


def _content(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = _read(read, min(size, _PIECE))
        size -= len(piece)
        yield piece


def _read_end(read: Callable[[int], bytes]) -> None:
    """Read what follows the first block of zeros: at least one more, and nothing else."""
    size = BLOCK
    while data := read(_PIECE):
        size += len(data)
        if data.strip(b"\0"):
            raise BrokenTarError("data follows its end")
        if size > MAX_END:
            raise BrokenTarError(f"its end is longer than {MAX_END} bytes")
    if size < 2 * BLOCK or size % BLOCK:
        raise BrokenTarError("it is cut short")


def _parse_header(block: bytes) -> _Header:
    header = _Header(*_HEADER.unpack(block))
    plain = bytearray(block)
    plain[_CHECKSUM] = b" " * 8
    if _octal(header.checksum, "checksum") != sum(plain):
        raise BrokenTarError(f"the checksum of {_shown(header.name)} is not that of its header")
    if header.magic not in (_POSIX, _GNU):
        raise BrokenTarError(f"{_shown(header.name)} has neither a POSIX nor a GNU tar header")
    if header.rest.strip(b"\0") or (header.magic == _GNU and header.prefix.strip(b"\0")):
        raise BrokenTarError(f"{_shown(header.name)} has unknown data in its header")
    if header.type not in _KINDS and header.type not in _MAX_EXTENDED:
        raise BrokenTarError(
            f"{_shown(header.name)} is neither a file, nor a folder, nor a symbolic link"
        )
    for field in (header.user, header.group):
        _decoded(_text(field))
    for field in (header.uid, header.gid):
        # The numbers of a directory service do not always fit seven octal digits.
        if field[0] != 0x80:
            _octal(field, "owner", empty=True)
    for field in (header.major, header.minor):
        if _octal(field, "device number", empty=True):
            raise BrokenTarError(f"{_shown(header.name)} has a device number")
    return header


def _entry(header: _Header, size: int, extended: Mapping[bytes, bytes]) -> TarEntry:
    kind = _KINDS[header.type]
    pax = _parse_pax(extended.get(_PAX, b""))
    stated = _text(header.name)
    if prefix := _text(header.prefix):
        stated = prefix + b"/" + stated
    name = _longer(stated, pax.get("path"), extended.get(_LONG_NAME))
    link = _longer(_text(header.link), pax.get("linkpath"), extended.get(_LONG_LINK))
    if not name:
        raise BrokenTarError("an entry has no name")
    if name != stated and b".." in stated.split(b"/"):
        raise BrokenTarError(f"{_shown(name)} has another name in its header")
    if bool(link) != (kind == "link"):
        raise BrokenTarError(f"{_shown(name)} has a target, or lacks one, against its type")
    if kind != "file" and size:
        raise BrokenTarError(f"{_shown(name)} has content, which its type does not allow")
    if int(pax.get("size", b"%d" % size)) != size:
        raise BrokenTarError(f"{_shown(name)} has two sizes")
    return TarEntry(
        name=_plain(_decoded(name), kind),
        kind=kind,
        size=size,
        mode=_octal(header.mode, "mode"),
        time=float(pax.get("mtime", _octal(header.time, "time"))),
        target=_decoded(link),
    )


def _plain(name: str, kind: str) -> str:
    """Return a name as a path: tar puts `./` before it, and `/` after the name of a folder."""
    if kind != "folder":
        return name.removeprefix("./")
    return "" if name in (".", "./") else name.removeprefix("./").removesuffix("/") or name


def _longer(stated: bytes, pax: bytes | None, gnu: bytes | None) -> bytes:
    """Return a name, from an extended header only if the header itself has no room for it."""
    if gnu is not None:
        name = gnu.removesuffix(b"\0")
        if name == gnu or b"\0" in name:
            raise BrokenTarError(f"{_shown(name)} is not a long name as GNU tar writes it")
        # The header itself has the beginning; some programs omit that of a link's target.
        if 0 < len(stated) < _NEARLY_FULL or not name.startswith(stated):
            raise BrokenTarError(f"{_shown(name)} has another name in its header")
        return name
    if pax is None or pax == stated:
        return stated
    # Each program fills the header itself in its own way.
    if (pax.isascii() and len(pax) <= _FITS_A_HEADER) or stated.startswith(b"/"):
        raise BrokenTarError(f"{_shown(pax)} has another name in its header")
    return pax


def _parse_pax(data: bytes) -> dict[str, bytes]:
    records: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        match = _RECORD.match(data, at)
        end = at + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(data) or data[end - 1] != 0x0A:
            raise BrokenTarError("a pax header cannot be read")
        key, value = _decoded(match[2]), data[match.end() : end - 1]
        allowed = _PAX_VALUES.get(key)
        if key in records:
            raise BrokenTarError(f"a pax header states {key!r} twice")
        if allowed is None and not key.startswith(_ATTRIBUTES):
            raise BrokenTarError(f"a pax header states {key!r}, which is not known")
        if allowed is not None and not allowed.fullmatch(value):
            raise BrokenTarError(f"a pax header states a {key} that is none: {value[:40]!r}")
        if allowed is not None:
            _decoded(value)
        records[key] = value
        at = end
    return records


def _octal(field: bytes, what: str, *, empty: bool = False) -> int:
    if _OCTAL.fullmatch(field):
        return int(field.rstrip(b" \0"), 8)
    if empty and not field.strip(b"\0"):
        return 0
    raise BrokenTarError(f"a header has a {what} that is no plain octal number: {field!r}")


def _text(field: bytes) -> bytes:
    match = _TEXT.fullmatch(field)
    if match is None:
        raise BrokenTarError(f"a header has zeros in a text: {_shown(field)}")
    return match[1]


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise BrokenTarError(f"{_shown(name)} is not UTF-8") from error


def _shown(name: bytes) -> str:
    return repr(name.rstrip(b"\0").decode(errors="replace"))
