"""Opens an archive: its frames and its head.

Nothing is trusted here, and only the manifest and the signatures are decompressed at first:

- The seek table must describe frames that fill the file exactly.
- A frame is decompressed only if it states the expected size, at most `FRAME_SIZE`, names no
  dictionary, has a checksum, and ends where the table says. Its size is checked again afterwards.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import zstandard

from wheelferry_schemas.bundle import layout, seek_table
from wheelferry_schemas.bundle.head import Head, read_head
from wheelferry_schemas.bundle.seek_table import Frame
from wheelferry_schemas.bundle.self_contained import HEAD_SIZE, Span, find_bundle
from wheelferry_schemas.errors import TamperedError, TransferError, WheelferryError

# Without O_NONBLOCK, opening a pipe would block until something writes to it.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_MAGIC = (0xFD2FB528).to_bytes(4, "little")
_FLAGS_AT, _NAMES_DICTIONARY, _MEANINGLESS = 4, 0b0000_0011, 0b0001_1000
"""Where a frame's flags are, and two groups of them (RFC 8878, section 3.1.1.1.1)."""
_MAX_COMPRESSED = layout.FRAME_SIZE + layout.FRAME_SIZE // 128 + 1024
"""No encoder makes more of a full frame than this (zstd's own bound is 1/256 and a bit)."""


class Archive:
    """An open archive file; other processes that share the descriptor may read frames too."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its seek table; raises `TamperedError`, `TransferError`."""
        self.path = path
        self._descriptor = -1
        self._start = 0
        try:
            self._descriptor = os.open(path, _FLAGS)
            status = os.fstat(self._descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise TransferError(f"{path} is not a file", hint="is the path right?")
            self._start, size = self._place(status.st_size)
            self.is_whole_file = size == status.st_size
            self.frames = self._read_table(size)
        except OSError as error:
            self.close()
            raise TransferError(
                f"{path} cannot be read: {error.strerror}", hint="is the path right?"
            ) from error
        except WheelferryError:
            self.close()
            raise

    @property
    def descriptor(self) -> int:
        """The descriptor of the open file."""
        return self._descriptor

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def frame(self, number: int, size: int) -> bytes:
        """Return the content of a frame, of which `size` bytes are expected.

        Raises `TamperedError`.
        """
        frame = self.frames[number]
        if frame.size != size or size > layout.FRAME_SIZE:
            raise self._damaged(
                number, "its size in the seek table is not the one that follows from the manifest"
            )
        if frame.compressed_size > _MAX_COMPRESSED:
            raise self._damaged(number, "it is larger than any frame can be")
        data = self._pread(frame.compressed_size, frame.offset)
        try:
            problem = _header_problem(data, size)
            if problem is not None:
                raise self._damaged(number, problem)
            content = zstandard.ZstdDecompressor().decompress(
                data, max_output_size=size, allow_extra_data=False
            )
        except zstandard.ZstdError as error:
            raise self._damaged(number, f"it cannot be decompressed ({error})") from error
        if len(content) != size:
            raise self._damaged(number, "it decompresses to a size other than it states")
        return content

    def _damaged(self, number: int, why: str) -> TamperedError:
        return TamperedError(f"zstd frame {number}: {why}")

    def _place(self, file_size: int) -> Span:
        """Return where the archive is: the whole file, or part of a self-contained one."""
        head = b"" if file_size < HEAD_SIZE else self._pread(HEAD_SIZE, 0)
        span = find_bundle(head) or Span(offset=0, size=file_size)
        if span.offset + span.size > file_size:
            raise TamperedError("the file is shorter than it says")
        return span

    def _read_table(self, size: int) -> tuple[Frame, ...]:
        if size < seek_table.FOOTER_SIZE:
            raise TamperedError("the file is too short to be a bundle")
        footer = self._pread(seek_table.FOOTER_SIZE, size - seek_table.FOOTER_SIZE)
        table_size = seek_table.size_from_footer(footer)
        if table_size > size:
            raise TamperedError("the file is shorter than its seek table says")
        return seek_table.decode(self._pread(table_size, size - table_size), size)

    def _pread(self, size: int, offset: int) -> bytes:
        parts = []
        while size > 0:
            part = _pread(self._descriptor, size, self._start + offset)
            if not part:
                raise TamperedError("the bundle ends too early")
            parts.append(part)
            size -= len(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _header_problem(data: bytes, size: int) -> str | None:
    """Return why a frame must not be decompressed to `size` bytes, None if it may."""
    if data[:4] != _MAGIC:
        return "it does not begin like a zstd frame"
    stated = zstandard.get_frame_parameters(data)
    problems = (
        (
            stated.content_size != size,
            "it states a size other than the one that follows from the manifest",
        ),
        (data[_FLAGS_AT] & _NAMES_DICTIONARY, "it asks for a dictionary"),
        (not stated.has_checksum, "it has no checksum"),
        (stated.window_size > layout.FRAME_SIZE, "its window is too large"),
        (data[_FLAGS_AT] & _MEANINGLESS, "it has a reserved bit set"),
    )
    return next((problem for is_so, problem in problems if is_so), None)


if hasattr(os, "pread"):
    _pread = os.pread
else:

    def _pread(descriptor: int, size: int, offset: int, /) -> bytes:
        # Windows, where no process is forked that would share the position.
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBundle:
    """An open archive and its head: manifest and signatures, not yet verified."""

    archive: Archive
    head: Head


def open_bundle(path: Path) -> OpenedBundle:
    """Open a bundle and read its head; raises `TamperedError`, `TransferError`."""
    archive = Archive(path)
    sizes = [frame.size for frame in archive.frames]
    try:
        head = read_head(sizes, lambda number: archive.frame(number, sizes[number]))
    except BaseException:
        archive.close()
        raise
    return OpenedBundle(archive=archive, head=head)
