"""Archives that are hostile: other formats, cut ones, frames, the seek table, members, headers."""

from __future__ import annotations

import functools
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable

import zstandard

from support.making.archives import join, join_plain, pack, packed_frames
from vectors.good_bundle import (
    END_FRAME,
    FIRST_WHEEL,
    MANIFEST_FRAME,
    good_bundle,
    hostile_bundle,
    manifest,
    plain_frames,
)
from vectors.vector import Vector
from wheelferry_schemas.bundle import layout, seek_table

_GIB = 2**30


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("manifest.json")
        info.size = len(manifest())
        archive.addfile(info, io.BytesIO(manifest()))
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json"), manifest())
    return buffer.getvalue()


def _frames(change: Callable[[list[bytes]], object]) -> Callable[[], bytes]:
    """Return an archive of a good bundle's frames after a change to what they hold."""

    def make() -> bytes:
        frames = plain_frames()
        change(frames)
        return join_plain(frames)

    return make


def _packed(number: int, change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """Return an archive in which one frame was changed after it was packed."""

    def make() -> bytes:
        frames = packed_frames(good_bundle())
        frames[number] = change(frames[number])
        return join(frames, [len(plain) for plain in plain_frames()])

    return make


def _repacked(number: int, **options: object) -> Callable[[], bytes]:
    plain = plain_frames()[number]
    return _packed(number, lambda _: pack(plain, **options))  # type: ignore[arg-type]


def _framed_by_hand(window: int, plain: bytes) -> bytes:
    """Return a frame with a window descriptor of its own and one stored block (RFC 8878, 3.1.1)."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0b1000_0100, window]) + struct.pack("<I", len(plain))
    block = struct.pack("<I", 1 | len(plain) << 3)[:3] + plain
    # The checksum is the lower half of XXH64; any will do where it is not looked at.
    return head + block + bytes(4)


@functools.cache
def _bomb() -> bytes:
    """Return a frame of some 32 kB that unfolds to 1 GiB."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj(size=_GIB)
    chunk = bytes(2**24)
    return b"".join(packer.compress(chunk) for _ in range(_GIB // 2**24)) + packer.flush()


def _lying_bomb(size: int) -> bytes:
    """Return that frame with another size in its header."""
    bomb = _bomb()
    at = 5 if bomb[4] & 0x20 else 6
    return bomb[:at] + struct.pack("<I", size) + bomb[at + 4 :]


def _listed(number: int, frame: bytes, size: int) -> bytes:
    """Return an archive with another frame, listed with another size."""
    frames = packed_frames(good_bundle())
    sizes = [len(plain) for plain in plain_frames()]
    frames[number], sizes[number] = frame, size
    return join(frames, sizes)


def _wheel_frame_size() -> int:
    return len(plain_frames()[FIRST_WHEEL])


def _halves(data: bytes) -> tuple[bytes, bytes]:
    return data[:512], data[512:]


def _with_dictionary(frame: bytes) -> bytes:
    """Return a frame that asks for the dictionary of number 7 (RFC 8878, section 3.1.1.1.1.3)."""
    descriptor = frame[4]
    # Without a single segment flag there is a window descriptor before the dictionary's number.
    at = 5 if descriptor & 0x20 else 6
    return frame[:4] + bytes([descriptor | 1]) + frame[5:at] + b"\7" + frame[at:]


def _table(change: Callable[[bytearray], object]) -> Callable[[], bytes]:
    """Return a good bundle after a change to its seek table."""

    def make() -> bytes:
        data = good_bundle()
        size = seek_table.size_from_footer(data[-seek_table.FOOTER_SIZE :])
        table = bytearray(data[-size:])
        change(table)
        return data[:-size] + bytes(table)

    return make


def _swap_sizes(table: bytearray) -> None:
    table[8:12], table[16:20] = table[16:20], table[8:12]


def _number(at: int, value: int) -> Callable[[], bytes]:
    """Return a good bundle with a u32 of its seek table replaced."""
    return _table(lambda table: struct.pack_into("<I", table, at % len(table), value))


FORMATS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("too short to be a bundle", lambda: b""),
    "one-byte": ("too short to be a bundle", lambda: b"x"),
    "text": ("does not end as a bundle does", lambda: b"hello\n" * 100),
    "zeros": ("does not end as a bundle does", lambda: bytes(10_000)),
    "gzip": ("does not end as a bundle does", lambda: gzip.compress(_tar(), mtime=0)),
    "zip": ("does not end as a bundle does", _zip),
    "tar": ("does not end as a bundle does", _tar),
    "tar-in-zstd": ("does not end as a bundle does", lambda: zstandard.compress(_tar())),
}
FRAMES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "garbage-after-the-end": ("does not end as a bundle does", lambda: good_bundle() + b"garbage"),
    "zero-after-the-end": ("does not end as a bundle does", lambda: good_bundle() + b"\0"),
    "frame-after-the-end": ("does not end as a bundle does", lambda: good_bundle() + pack(b"x")),
    "bundle-after-the-end": ("do not fill the file", lambda: good_bundle() * 2),
    "garbage-before-the-start": ("do not fill the file", lambda: b"garbage" + good_bundle()),
    "frame-before-the-table": (
        "members of the bundle are not those",
        _frames(lambda frames: frames.append(b"x")),
    ),
    "frame-not-in-the-table": ("do not fill the file", lambda: pack(b"x") + good_bundle()),
    "empty-frame": (
        "members of the bundle are not those",
        _frames(lambda frames: frames.insert(END_FRAME, b"")),
    ),
    "skippable-frame": (
        "does not begin like a zstd frame",
        _packed(FIRST_WHEEL, lambda _: b"\x50\x2a\x4d\x18\4\0\0\0test"),
    ),
    "window-of-1-gib": (
        "its window is too large",
        _packed(MANIFEST_FRAME, lambda _: _framed_by_hand(0b10100_000, plain_frames()[0])),
    ),
    "window-of-1-gib-in-a-wheel": (
        "its window is too large",
        _packed(FIRST_WHEEL, lambda _: _framed_by_hand(0b10100_000, plain_frames()[FIRST_WHEEL])),
    ),
    "dictionary": ("asks for a dictionary", _packed(MANIFEST_FRAME, _with_dictionary)),
    "checksum-flipped": (
        "cannot be decompressed",
        _packed(FIRST_WHEEL, lambda frame: frame[:-1] + bytes([frame[-1] ^ 1])),
    ),
    "checksum-absent": ("has no checksum", _repacked(FIRST_WHEEL, checksum=False)),
    "checksum-absent-from-manifest": ("has no checksum", _repacked(MANIFEST_FRAME, checksum=False)),
    "size-absent": ("states a size other", _repacked(FIRST_WHEEL, content_size=False)),
    "unused-bit": (
        "has a reserved bit set",
        _packed(FIRST_WHEEL, lambda frame: frame[:4] + bytes([frame[4] | 0x10]) + frame[5:]),
    ),
    "bomb-as-manifest": (
        "its size in the seek table is not",
        lambda: join([_bomb(), pack(layout.END_OF_ARCHIVE)], [_GIB, 1024]),
    ),
    "bomb-as-wheel": (
        "members of the bundle are not those",
        lambda: _listed(FIRST_WHEEL, _bomb(), _GIB),
    ),
    "bomb-that-lies": (
        "states a size other",
        lambda: _listed(FIRST_WHEEL, _bomb(), _wheel_frame_size()),
    ),
    "bomb-that-lies-twice": (
        "cannot be decompressed",
        lambda: _listed(FIRST_WHEEL, _lying_bomb(_wheel_frame_size()), _wheel_frame_size()),
    ),
    "frame-of-two": (
        "states a size other",
        _packed(FIRST_WHEEL, lambda _: b"".join(map(pack, _halves(plain_frames()[FIRST_WHEEL])))),
    ),
}
TABLES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "size": ("seek table of the bundle is damaged", _number(4, 9)),
    "kind": ("seek table of the bundle is damaged", _number(0, 0x184D2A50)),
    "magic": ("does not end as a bundle does", _number(-4, 0x8F92EAB0)),
    "no-frames": ("of an unknown kind", _number(-9, 0)),
    "fewer-frames": ("seek table of the bundle is damaged", _number(-9, 5)),
    "more-frames": ("shorter than its seek table says", _number(-9, seek_table.MAX_FRAMES)),
    "too-many-frames": ("of an unknown kind", _number(-9, seek_table.MAX_FRAMES + 1)),
    "2-to-the-32-frames": ("of an unknown kind", _number(-9, 2**32 - 1)),
    "checksums": ("of an unknown kind", _table(lambda table: table.__setitem__(-5, 0x80))),
    "packed-size": ("do not fill the file", _number(8, 1)),
    "packed-size-of-4-gib": ("do not fill the file", _number(8, 2**32 - 1)),
    "packed-sizes-swapped": ("zstd frame 0", _table(_swap_sizes)),
    "plain-size": ("states a size other", _number(12, 512)),
    "plain-size-of-4-gib": ("its size in the seek table is not", _number(12, 2**32 - 1)),
    "plain-size-of-a-wheel": (
        "members of the bundle are not those",
        _number(12 + 8 * FIRST_WHEEL, 512),
    ),
    "no-more-than-a-table": (
        "does not begin like a zstd frame",
        lambda: seek_table.encode([(0, 0)]),
    ),
    "as-many-frames-as-allowed": (
        "does not begin like a zstd frame",
        lambda: seek_table.encode([(0, 0)] * seek_table.MAX_FRAMES),
    ),
}


def _boundaries() -> list[int]:
    """Return where members begin and end in the file."""
    ends = [0]
    for frame in packed_frames(good_bundle()):
        ends.append(ends[-1] + len(frame))
    return ends


def _cut(at: int) -> Callable[[], bytes]:
    return lambda: good_bundle()[:at]


def _frames_left(number: int) -> Callable[[], bytes]:
    """Return a good bundle's first frames, with a table of those."""
    sizes = [len(plain) for plain in plain_frames()]
    return lambda: join(packed_frames(good_bundle())[:number], sizes[:number])


def _cuts() -> dict[str, Callable[[], bytes]]:
    """Return good bundles that were cut short: where members end, and elsewhere."""
    size = len(good_bundle())
    anywhere = {size * step * 37 % (size * 101) // 101 for step in range(1, 24)}
    return {
        **{f"at-{at}": _cut(at) for at in sorted({*_boundaries()[1:], *anywhere, size - 1})},
        **{f"of-{number}-frames": _frames_left(number) for number in range(1, END_FRAME + 1)},
    }


def archive_vectors() -> list[Vector]:
    """Return the vectors of this module."""
    return [
        *(
            hostile_bundle(f"{family}-{name}", words, make)
            for family, vectors in (("format", FORMATS), ("frame", FRAMES), ("table", TABLES))
            for name, (words, make) in vectors.items()
        ),
        *(
            # What is left of one frame is a manifest without a signature.
            hostile_bundle(f"cut-{name}", "", make, code=3 if name == "of-1-frames" else 4)
            for name, make in _cuts().items()
        ),
        hostile_bundle("control-good", "", good_bundle, code=0),
    ]
