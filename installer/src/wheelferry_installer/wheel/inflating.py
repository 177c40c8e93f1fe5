"""Inflates raw deflate streams (RFC 1951) and makes CRCs, with ISA-L where installed, else zlib.

ISA-L takes half the time, a third for CRCs. It has no wheels for every host, and nothing depends on
which is taken: sizes and hashes of what comes out are checked.
"""

from __future__ import annotations

import zlib
from typing import Protocol

try:
    from isal import isal_zlib
except ImportError:
    isal_zlib = None  # type: ignore[assignment]

InflateError: tuple[type[Exception], ...] = (zlib.error,)
"""What inflaters raise where the stream is none."""
if isal_zlib is not None:
    InflateError += (isal_zlib.IsalError,)  # type: ignore[operator]


class Inflater(Protocol):
    """Inflates one stream; what `zlib.decompressobj` and ISA-L's have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""

    @property
    def unused_data(self) -> bytes:
        """What followed the end."""

    @property
    def unconsumed_tail(self) -> bytes:
        """What was not looked at yet, since as much came out as was asked for."""

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Return what comes next, at most `max_length` bytes; 0 is no limit."""


def inflater() -> Inflater:
    """Return what inflates one stream."""
    if isal_zlib is not None:
        return isal_zlib.decompressobj(-zlib.MAX_WBITS)
    return zlib.decompressobj(-zlib.MAX_WBITS)


def crc32(data: bytes, value: int = 0) -> int:
    """Return the CRC of what `value` is the CRC of, followed by `data`."""
    crc: int = (zlib if isal_zlib is None else isal_zlib).crc32(data, value)
    return crc
