"""Archives whose members are hostile: which there are, in what order, and their tar headers."""

from __future__ import annotations

import tarfile
from collections.abc import Callable

from support.making.archives import join_plain, member
from support.making.bundles import CREATED
from vectors.good_bundle import (
    DOCUMENT_FRAME,
    END_FRAME,
    FIRST_WHEEL,
    MANIFEST_FRAME,
    REQUIREMENTS,
    SECOND_WHEEL,
    SIGNATURE_FRAME,
    alice,
    hostile_bundle,
    manifest,
    plain_frames,
)
from vectors.vector import Vector
from wheelferry_schemas.bundle import layout

_NAME, _MODE, _UID, _SIZE, _TIME, _SUM, _TYPE, _LINK, _MAGIC, _USER, _DEVICE, _PREFIX = (
    *(0, 100, 108, 124, 136, 148, 156, 157, 257, 265, 329, 345),
)
_FORETOLD = "header is not the expected one"
_NOT_THOSE = "members of the bundle are not those"
_UNSIGNED = "is not signed"
Make = Callable[[], bytes]


def _frames(change: Callable[[list[bytes]], object]) -> Make:
    """Return an archive of a good bundle's frames after a change to what they hold."""

    def make() -> bytes:
        frames = plain_frames()
        change(frames)
        return join_plain(frames)

    return make


def _field(start: int, value: bytes, number: int = FIRST_WHEEL, *, resum: bool = True) -> Make:
    """Return a good bundle with bytes of a tar header replaced; `resum` sets its checksum right."""

    def change(frames: list[bytes]) -> None:
        header = bytearray(frames[number][:512])
        header[start : start + len(value)] = value
        if resum:
            header[_SUM : _SUM + 8] = b" " * 8
            header[_SUM : _SUM + 8] = b"%06o\0 " % sum(header)
        frames[number] = bytes(header) + frames[number][512:]

    return _frames(change)


def _bad_name(name: bytes) -> Make:
    return _field(_NAME, name.ljust(100, b"\0"))


def _before(number: int, kind: bytes, content: bytes) -> Make:
    """Return a good bundle with an extended header (pax, GNU) before a member."""
    info = tarfile.TarInfo("././@PaxHeader")
    info.size, info.type = len(content), kind
    extended = info.tobuf(tarfile.USTAR_FORMAT) + content + layout.padding(len(content))
    return _frames(lambda frames: frames.insert(number, extended))


def _replaced(number: int, change: Callable[[bytes], bytes]) -> Make:
    def replace(frames: list[bytes]) -> None:
        frames[number] = change(frames[number])

    return _frames(replace)


def _swapped(one: int, other: int) -> Make:
    def swap(frames: list[bytes]) -> None:
        frames[one], frames[other] = frames[other], frames[one]

    return _frames(swap)


def _signed(number: int) -> bytes:
    return join_plain(plain_frames(signatures=[alice().sign(manifest())] * number))


def _big_manifest() -> bytes:
    """Return an archive whose manifest has a byte more than is allowed."""
    whole = member(layout.MANIFEST, bytes(2**24 + 1))
    cut = [whole[at : at + layout.FRAME_SIZE] for at in range(0, len(whole), layout.FRAME_SIZE)]
    return join_plain([*cut, *plain_frames()[1:]])


EVIL = member("wheels/evil.py", b"print('evil')\n")
MEMBERS: dict[str, tuple[str, Make]] = {
    "manifest-not-first": (
        "manifest.json is not where it belongs",
        _swapped(MANIFEST_FRAME, SIGNATURE_FRAME),
    ),
    "manifest-missing": (
        "manifest.json is not where it belongs",
        _frames(lambda frames: frames.pop(0)),
    ),
    "manifest-twice": (_UNSIGNED, _frames(lambda frames: frames.insert(1, frames[0]))),
    "manifest-empty": (
        "manifest.json has 0 bytes",
        _replaced(MANIFEST_FRAME, lambda _: member("manifest.json", b"")),
    ),
    "manifest-above-16-mib": ("manifest.json has 16777217 bytes", _big_manifest),
    "manifest-size-of-8-gib": ("expected 1 to", _field(_SIZE, b"77777777777", MANIFEST_FRAME)),
    "manifest-size-in-base-256": (
        "cannot be read",
        _field(_SIZE, b"\x80" + bytes(10) + b"\xff", MANIFEST_FRAME),
    ),
    "manifest-size-with-sign": ("cannot be read", _field(_SIZE, b"-0000000001", MANIFEST_FRAME)),
    "manifest-size-with-eight": ("cannot be read", _field(_SIZE, b"00000000008", MANIFEST_FRAME)),
    "manifest-size-with-space": ("cannot be read", _field(_SIZE, b"       1000", MANIFEST_FRAME)),
    "manifest-longer-than-stated": (
        "is not as long as it says",
        _replaced(MANIFEST_FRAME, lambda data: data + bytes(512)),
    ),
    "17-signatures": ("more than 16 signatures", lambda: _signed(17)),
    "signature-2-without-1": (
        _UNSIGNED,
        _replaced(SIGNATURE_FRAME, lambda data: member("signatures/2.sig", data[512:812])),
    ),
    "signature-above-64-kib": (
        _UNSIGNED,
        _replaced(SIGNATURE_FRAME, lambda _: member("signatures/1.sig", b"x" * 2**17)),
    ),
    "signature-after-documents": (
        _NOT_THOSE,
        _frames(lambda frames: frames.insert(3, member("signatures/2.sig", b"x"))),
    ),
    "extra-document": (
        _NOT_THOSE,
        _frames(lambda frames: frames.insert(DOCUMENT_FRAME, member("sbom.cdx.json", b"{}"))),
    ),
    "extra-wheel": (_NOT_THOSE, _frames(lambda frames: frames.insert(END_FRAME, EVIL))),
    "extra-member-after-the-end": (_NOT_THOSE, _frames(lambda frames: frames.append(EVIL))),
    "document-missing": (_NOT_THOSE, _frames(lambda frames: frames.pop(DOCUMENT_FRAME))),
    "wheel-missing": (_NOT_THOSE, _frames(lambda frames: frames.pop(FIRST_WHEEL))),
    "wheel-twice": (
        _NOT_THOSE,
        _frames(lambda frames: frames.insert(FIRST_WHEEL, frames[FIRST_WHEEL])),
    ),
    "wheels-reordered": ("wheels/", _swapped(FIRST_WHEEL, SECOND_WHEEL)),
    "document-after-wheel": (_NOT_THOSE, _swapped(DOCUMENT_FRAME, FIRST_WHEEL)),
    "document-of-other-bytes": (
        "its hash is not the one",
        _replaced(DOCUMENT_FRAME, lambda _: member("requirements.txt", REQUIREMENTS.upper())),
    ),
    "document-shorter": (
        _FORETOLD,
        _replaced(DOCUMENT_FRAME, lambda _: member("requirements.txt", b"x")),
    ),
    "wheel-of-other-bytes": (
        "its hash is not the one",
        _replaced(FIRST_WHEEL, lambda data: data[:600] + bytes([data[600] ^ 1]) + data[601:]),
    ),
    "padding": ("is not padded with zeros", _replaced(FIRST_WHEEL, lambda data: data[:-1] + b"x")),
    "padding-of-manifest": (
        "is not padded with zeros",
        _replaced(MANIFEST_FRAME, lambda data: data[:-1] + b"x"),
    ),
    "end-missing": (_NOT_THOSE, _frames(lambda frames: frames.pop())),
    "one-end-block": (_NOT_THOSE, _replaced(END_FRAME, lambda _: bytes(512))),
    "three-end-blocks": (_NOT_THOSE, _replaced(END_FRAME, lambda _: bytes(1536))),
    "end-of-other-bytes": (
        "end of the archive is not made of zeros",
        _replaced(END_FRAME, lambda _: bytes(1023) + b"x"),
    ),
    "two-members-in-one-frame": (
        _NOT_THOSE,
        _frames(lambda frames: frames.__setitem__(slice(3, 5), [frames[3] + frames[4]])),
    ),
}
HEADERS: dict[str, Make] = {
    "name-parent": _bad_name(b"../evil"),
    "name-absolute": _bad_name(b"/evil"),
    "name-backslash": _bad_name(b"wheels\\evil"),
    "name-with-nul": _bad_name(b"wheels/other\0-1.0"),
    "name-with-escape": _bad_name(b"wheels/\x1b[2Jother"),
    "name-with-newline": _bad_name(b"wheels/ot\nher"),
    "name-empty": _bad_name(b""),
    "prefix": _field(_PREFIX, b"../evil"),
    "symlink": _field(_TYPE, b"2" + b"/etc/passwd"),
    "hardlink": _field(_TYPE, b"1" + b"manifest.json"),
    "link-of-a-file": _field(_LINK, b"/etc/passwd"),
    "character-device": _field(_TYPE, b"3"),
    "block-device": _field(_TYPE, b"4"),
    "folder": _field(_TYPE, b"5"),
    "pipe": _field(_TYPE, b"6"),
    "contiguous": _field(_TYPE, b"7"),
    "old-regular": _field(_TYPE, b"\0"),
    "sparse": _field(_TYPE, b"S"),
    "volume": _field(_TYPE, b"V"),
    "pax": _field(_TYPE, b"x"),
    "pax-global": _field(_TYPE, b"g"),
    "gnu-long-name": _field(_TYPE, b"L"),
    "setuid": _field(_MODE, b"0004755"),
    "owner": _field(_UID, b"0001000"),
    "user": _field(_USER, b"mallory"),
    "time": _field(_TIME, b"%011o" % (CREATED + 1)),
    "size": _field(_SIZE, b"00000000001"),
    "device-number": _field(_DEVICE, b"0000001"),
    "gnu-magic": _field(_MAGIC, b"ustar  \0"),
    "checksum": _field(_SUM, b"000000\0 ", resum=False),
    "checksum-spelled-otherwise": _field(_SUM, b" ", resum=False),
}
EXTENDED: dict[str, Make] = {
    "pax-before-wheel": _before(FIRST_WHEEL, b"x", b"18 path=../evil.py\n"),
    "pax-global-before-wheel": _before(FIRST_WHEEL, b"g", b"18 path=../evil.py\n"),
    "pax-size-before-wheel": _before(FIRST_WHEEL, b"x", b"10 size=0\n"),
    "pax-sparse-before-wheel": _before(FIRST_WHEEL, b"x", b"22 GNU.sparse.major=1\n"),
    "gnu-name-before-wheel": _before(FIRST_WHEEL, b"L", b"../evil.py\0"),
    "gnu-link-before-wheel": _before(FIRST_WHEEL, b"K", b"/etc/passwd\0"),
    "pax-before-manifest": _before(MANIFEST_FRAME, b"x", b"18 path=../evil.py\n"),
    "pax-global-before-manifest": _before(MANIFEST_FRAME, b"g", b"18 path=../evil.py\n"),
}


def _of_the_manifest() -> dict[str, Make]:
    fields = {
        "symlink": (_TYPE, b"2/etc/passwd"),
        "pax": (_TYPE, b"x"),
        "setuid": (_MODE, b"0004755"),
        "time": (_TIME, b"%011o" % (CREATED + 1)),
        "prefix": (_PREFIX, b"../evil"),
    }
    made = {
        f"{what}-of-{member}": _field(*field, number)
        for what, field in fields.items()
        for member, number in (("manifest", MANIFEST_FRAME), ("signature", SIGNATURE_FRAME))
    }
    return {**made, "checksum-of-manifest": _field(_SUM, b"000000", MANIFEST_FRAME, resum=False)}


def tar_vectors() -> list[Vector]:
    """Return the vectors of this module."""
    extended = {
        name: ("manifest.json is not where" if name.endswith("manifest") else _NOT_THOSE, make)
        for name, make in EXTENDED.items()
    }
    foretold = {name: (_FORETOLD, make) for name, make in {**HEADERS, **_of_the_manifest()}.items()}
    unsigned = ("manifest-twice", "signature-2-without-1", "signature-above-64-kib")
    return [
        hostile_bundle(f"{family}-{name}", words, make, code=3 if name in unsigned else 4)
        for family, vectors in (("member", MEMBERS), ("header", foretold), ("extended", extended))
        for name, (words, make) in vectors.items()
    ]
