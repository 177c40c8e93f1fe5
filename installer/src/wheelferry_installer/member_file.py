"""A member of an archive as a file that can be read anywhere, without unfolding it as a whole."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from wheelferry_schemas import layout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def open_member(frame: Callable[[int, int], bytes], first: int, header: int, size: int) -> BinaryIO:
    """Return the content of a member that begins with frame `first` and a header of some bytes.

    `frame` unfolds the frame of a number, of which some bytes are expected.
    """
    file = _MemberFile(frame, first, header, size)
    return io.BufferedReader(file) if size > layout.FRAME_SIZE else io.BytesIO(file.readall())


class _MemberFile(io.RawIOBase):
    """Holds the one frame that was read from last."""

    def __init__(
        self, frame: Callable[[int, int], bytes], first: int, header: int, size: int
    ) -> None:
        self._frame = frame
        self._first = first
        self._header = header
        self._size = size
        stream_size = header + size + len(layout.padding(size))
        self._sizes = list(layout.frame_sizes(stream_size))
        self._position = 0
        self._held = -1
        self._content = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        number, offset = divmod(self._header + self._position, layout.FRAME_SIZE)
        if number != self._held:
            self._content = memoryview(self._frame(self._first + number, self._sizes[number]))
            self._held = number
        piece = self._content[offset : offset + wanted]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
