"""Decompresses a stream: one gzip member or zstd frame, and nothing after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from wheelferry_schemas.tar.tar_headers import BrokenTarError

_STEP = 2**10
"""Bytes to decompress at a time: zstd can turn that many into 32 MiB of zeros."""


class Unfolder(Protocol):
    """The interface that the decompressors of zlib and zstandard share."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def unused_data(self) -> bytes:
        """The bytes after the end."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return the next decompressed bytes."""


def unfolded(read: Callable[[int], bytes], unfolder: Unfolder) -> Callable[[int], bytes]:
    """Return a function that reads the stream, given one that reads its file.

    It returns as many bytes as it is asked for, fewer at the end alone. Raises `BrokenTarError`
    where the stream does not end with its file, and what `unfolder` raises.
    """
    held = bytearray()

    def read_unfolded(size: int) -> bytes:
        while len(held) < size and (packed := read(_STEP)):
            if unfolder.eof:
                raise BrokenTarError("data follows its end")
            held.extend(unfolder.decompress(packed))
            if unfolder.unused_data:
                raise BrokenTarError("data follows its end")
        if len(held) < size and not unfolder.eof:
            raise BrokenTarError("it is cut short")
        data = bytes(held[:size])
        del held[:size]
        return data

    return read_unfolded
