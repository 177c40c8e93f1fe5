import gzip
import io
import os
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from support.making.archives import join, member, pack, packed_frames, plain_frames
from wheelferry_installer.verify import archive_reader
from wheelferry_installer.verify.archive_reader import OpenedBundle, open_bundle
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.self_contained import BUNDLE, SHEBANG, local_header
from wheelferry_schemas.errors import TamperedError, TransferError

END = layout.END_OF_ARCHIVE
MANIFEST = member("manifest.json", b"{}\n")


@pytest.fixture
def open_bytes(tmp_path: Path) -> Callable[[bytes], OpenedBundle]:
    """Opens a bundle of these bytes."""

    def open_them(data: bytes) -> OpenedBundle:
        path = tmp_path / "bundle.tar.zst"
        path.write_bytes(data)
        opened = open_bundle(path)
        opened.archive.close()
        return opened

    return open_them


Open = Callable[[bytes], OpenedBundle]


def _refusal(open_bytes: Open, data: bytes) -> str:
    with pytest.raises(TamperedError) as caught:
        open_bytes(data)
    return caught.value.message


def test_finds_manifest_and_signatures(open_bytes: Open, small_bundle: bytes) -> None:
    head = open_bytes(small_bundle).head
    manifest, signature = plain_frames(small_bundle)[:2]
    assert manifest[512:].startswith(head.manifest.content)
    assert [signature[512:].startswith(member.content) for member in head.signatures] == [True]
    assert head.next_frame == 2


def test_unfolds_nothing_but_the_head(open_bytes: Open, small_bundle: bytes) -> None:
    frames = packed_frames(small_bundle)
    sizes = [len(plain) for plain in plain_frames(small_bundle)]
    # What follows the last signature is looked at once, to see that it is no further one.
    noise = [b"\0" * len(frame) for frame in frames[3:]]
    opened = open_bytes(join([*frames[:3], *noise], sizes))
    assert opened.head.next_frame == 2


def test_says_that_file_is_absent(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"absent cannot be read: No such file") as caught:
        open_bundle(tmp_path / "absent")
    assert caught.value.hint == "is the path right?"


def test_says_that_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="is not a file") as caught:
        open_bundle(tmp_path)
    assert caught.value.hint == "is the path right?"


def test_takes_disk_that_reads_in_pieces(
    tmp_path: Path, small_bundle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(small_bundle)
    monkeypatch.setattr(
        archive_reader, "_pread", lambda file, size, at: os.pread(file, min(size, 7), at)
    )
    opened = open_bundle(path).archive
    plains = [opened.frame(number, frame.size) for number, frame in enumerate(opened.frames)]
    opened.close()
    assert plains == plain_frames(small_bundle)


def test_closes_its_file_once(
    tmp_path: Path, small_bundle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(small_bundle)
    opened = open_bundle(path).archive
    opened.close()
    # By then the number of its file may be that of another.
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    opened.close()
    assert closed == []


@pytest.mark.parametrize("missing", [1, 10])
def test_refuses_file_that_becomes_shorter(
    tmp_path: Path, small_bundle: bytes, missing: int
) -> None:
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(small_bundle)
    opened = open_bundle(path).archive
    last = opened.frames[-1]
    os.truncate(path, last.offset + last.compressed_size - missing)
    with pytest.raises(TamperedError, match="the bundle ends too early"):
        opened.frame(len(opened.frames) - 1, last.size)
    opened.close()


def _installs_itself(bundle: bytes, stated: int | None = None) -> bytes:
    size = len(bundle) if stated is None else stated
    return SHEBANG + local_header(BUNDLE, 0, size) + bundle


@pytest.mark.parametrize("after", [b"", b"the installer"])
def test_reads_bundle_in_a_file_that_installs_itself(
    tmp_path: Path, small_bundle: bytes, after: bytes
) -> None:
    path = tmp_path / "install.pyz"
    path.write_bytes(_installs_itself(small_bundle) + after)
    opened = open_bundle(path).archive
    plains = [opened.frame(number, frame.size) for number, frame in enumerate(opened.frames)]
    opened.close()
    assert plains == plain_frames(small_bundle)


@pytest.mark.parametrize("more", [1, 2**31])
def test_refuses_file_that_ends_before_the_bundle_in_it(
    open_bytes: Open, small_bundle: bytes, more: int
) -> None:
    data = _installs_itself(small_bundle, len(small_bundle) + more)
    assert _refusal(open_bytes, data) == "the file is shorter than it says"


@pytest.mark.parametrize("stated", [0, 3])
def test_refuses_file_with_next_to_no_bundle_in_it(open_bytes: Open, stated: int) -> None:
    data = _installs_itself(b"foo"[:stated])
    assert _refusal(open_bytes, data) == "the file is too short to be a bundle"


def test_closes_nothing_where_nothing_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    with pytest.raises(TransferError):
        open_bundle(tmp_path / "absent")
    assert closed == []


@pytest.mark.parametrize("data", [b"", b"text" * 100])
def test_closes_what_is_not_a_bundle(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "other").write_bytes(data)
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(TamperedError):
        open_bundle(tmp_path / "other")
    assert set(os.listdir("/dev/fd")) == before


def test_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TransferError, match="is not a file"):
        open_bundle(tmp_path / "pipe")


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", "{}")
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
    return buffer.getvalue()


NOT_BUNDLES = {
    "empty": b"",
    "one byte": b"x",
    "text": b"hello\n" * 100,
    "zeros": bytes(10_000),
    "gzip": gzip.compress(_tar()),
    "zip": _zip(),
    "tar": _tar(),
    "zstd": zstandard.compress(_tar()),
    "private key": b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("what", NOT_BUNDLES)
def test_refuses_what_is_not_a_bundle(open_bytes: Open, what: str) -> None:
    assert _refusal(open_bytes, NOT_BUNDLES[what]) in (
        "the file is too short to be a bundle",
        "the file does not end as a bundle does",
    )


def test_refuses_archive_that_tar_made(open_bytes: Open, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}\n")
    arguments = ("--zstd", "-cf", "plain.tar.zst", "manifest.json")
    subprocess.run(["tar", *arguments], cwd=tmp_path, check=True)
    said = _refusal(open_bytes, (tmp_path / "plain.tar.zst").read_bytes())
    assert said == "the file does not end as a bundle does"


def test_refuses_table_that_is_longer_than_the_file(open_bytes: Open) -> None:
    footer = struct.pack("<IBI", 1000, 0, 0x8F92EAB1)
    assert "shorter than its seek table" in _refusal(open_bytes, bytes(100) + footer)


def _frame_by_hand(descriptor: int, fields: bytes, content: bytes) -> bytes:
    """Return a frame with one stored block; its checksum is wrong."""
    block = struct.pack("<I", 1 | len(content) << 3)[:3] + content
    return b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + fields + block + bytes(4)


def _with_window(exponent: int) -> bytes:
    # Content size in 4 bytes, a window descriptor, a checksum (RFC 8878, section 3.1.1.1).
    fields = struct.pack("<BI", (exponent - 10) << 3, len(MANIFEST))
    return _frame_by_hand(0b1000_0100, fields, MANIFEST)


def _names_dictionary_0() -> bytes:
    # Content size in 2 bytes, one segment, a checksum, a dictionary id in 1 byte.
    fields = b"\0" + struct.pack("<H", len(MANIFEST) - 256)
    return _frame_by_hand(0b0110_0101, fields, MANIFEST)


def _states_one_more() -> bytes:
    frame = pack(MANIFEST)
    size = struct.pack("<H", len(MANIFEST) - 256)
    assert frame[5:7] == size
    return frame[:5] + struct.pack("<H", len(MANIFEST) - 255) + frame[7:]


DICTIONARY = zstandard.ZstdCompressionDict(
    zstandard.train_dictionary(
        4096, [b"%d wheelferry %d" % (n, n * n) for n in range(2000)]
    ).as_bytes()
)


WRONG_FRAMES = {
    "no checksum": (pack(MANIFEST, checksum=False), 1024, "it has no checksum"),
    "no size": (pack(MANIFEST, content_size=False), 1024, "it states a size other"),
    "dictionary": (pack(MANIFEST, dictionary=DICTIONARY), 1024, "it asks for a dictionary"),
    "dictionary of number 0": (_names_dictionary_0(), 1024, "it asks for a dictionary"),
    "window of 16 MiB": (_with_window(24), 1024, "its window is too large"),
    "window of 8 MiB": (_with_window(23), 1024, "Restored data doesn't match checksum"),
    "listed too small": (pack(MANIFEST), 1023, "it states a size other"),
    "listed too large": (pack(MANIFEST), 1025, "it states a size other"),
    "listed as 4 GiB": (pack(MANIFEST), 2**32 - 1, "its size in the seek table is not"),
    "states too much, as listed": (_states_one_more(), 1025, "it cannot be decompressed"),
    "states too much": (_states_one_more(), 1024, "it states a size other"),
    "cut by a byte": (pack(MANIFEST)[:-1], 1024, "it cannot be decompressed"),
    "wrong checksum": (pack(MANIFEST)[:-1] + b"x", 1024, "it cannot be decompressed"),
    "cut in its header": (pack(MANIFEST)[:5], 1024, "it cannot be decompressed"),
    "nothing but magic": (pack(MANIFEST)[:4], 1024, "it cannot be decompressed"),
    "followed by a byte": (pack(MANIFEST) + b"x", 1024, "it cannot be decompressed"),
    "followed by a frame": (pack(MANIFEST) + pack(b""), 1024, "it cannot be decompressed"),
    "two frames": (pack(MANIFEST[:512]) + pack(MANIFEST[512:]), 1024, "it states a size other"),
    "9 MiB": (pack(MANIFEST) + bytes(9 * 2**20), 1024, "it is larger than any frame can be"),
    "empty": (b"", 1024, "it does not begin like a zstd frame"),
    "not compressed": (MANIFEST, 1024, "it does not begin like a zstd frame"),
    "skippable": (b"\x50\x2a\x4d\x18\4\0\0\0test", 1024, "it does not begin like a zstd frame"),
    "old zstd": (b"\x27\xb5\x2f\xfd" + pack(MANIFEST)[4:], 1024, "it does not begin like a zstd"),
}


@pytest.mark.parametrize("what", WRONG_FRAMES)
def test_refuses_frame_that_is_not_as_the_format_asks(open_bytes: Open, what: str) -> None:
    frame, size, problem = WRONG_FRAMES[what]
    said = _refusal(open_bytes, join([frame, pack(END)], [size, len(END)]))
    assert said.startswith("zstd frame 0: ")
    assert problem in said


def test_refuses_bomb(open_bytes: Open) -> None:
    bomb = pack(bytes(2**26))
    # A content size of 4 bytes: make it state 1,024 bytes.
    at = 5 if bomb[4] & 0x20 else 6
    lying = bomb[:at] + struct.pack("<I", 1024) + bomb[at + 4 :]
    assert zstandard.get_frame_parameters(lying).content_size == 1024
    assert "zstd frame 0: it" in _refusal(open_bytes, join([lying, pack(END)], [1024, len(END)]))
