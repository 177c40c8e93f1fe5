"""Reads a stream from its compressed file: one gzip member or zstd frame, and nothing after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from wheelferry_schemas.tar.tar_headers import BrokenTarError

_STEP = 2**10
"""Bytes to unfold at a time: of zeros, zstd makes 32 MiB of so many."""


class Unfolder(Protocol):
    """What `zlib.decompressobj` and that of zstandard have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""

    @property
    def unused_data(self) -> bytes:
        """What followed the end."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return what comes next."""


def unfolded(read: Callable[[int], bytes], unfolder: Unfolder) -> Callable[[int], bytes]:
    """Return what reads the stream, given what reads its file.

    It returns as many bytes as it is asked for, fewer at the end alone. Raises `BrokenTarError`
    where the stream does not end with its file, and what `unfolder` raises.
    """
    held = bytearray()

    def read_unfolded(size: int) -> bytes:
        while len(held) < size and (packed := read(_STEP)):
            if unfolder.eof:
                raise BrokenTarError("something follows its end")
            held.extend(unfolder.decompress(packed))
            if unfolder.unused_data:
                raise BrokenTarError("something follows its end")
        if len(held) < size and not unfolder.eof:
            raise BrokenTarError("it is cut short")
        data = bytes(held[:size])
        del held[:size]
        return data

    return read_unfolded
