"""Inflates raw deflate streams (RFC 1951) and computes CRCs, by ISA-L if installed, else by zlib.

ISA-L needs half the time, a third for CRCs, but has no wheels for some hosts. The choice does not
affect the result: sizes and hashes of the output are checked.
"""

from __future__ import annotations

import zlib
from typing import Protocol

try:
    from isal import isal_zlib
except ImportError:
    isal_zlib = None  # type: ignore[assignment]

InflateError: tuple[type[Exception], ...] = (zlib.error,)
"""What inflaters raise for invalid streams."""
if isal_zlib is not None:
    InflateError += (isal_zlib.IsalError,)  # type: ignore[operator]


class Inflater(Protocol):
    """Inflates one stream: the common interface of zlib and ISA-L."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""

    @property
    def unused_data(self) -> bytes:
        """The bytes after the end."""

    @property
    def unconsumed_tail(self) -> bytes:
        """The input not yet consumed because `max_length` was reached."""

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Return the next bytes, at most `max_length`; 0 is no limit."""


def inflater() -> Inflater:
    """Return an inflater for one stream."""
    if isal_zlib is not None:
        return isal_zlib.decompressobj(-zlib.MAX_WBITS)
    return zlib.decompressobj(-zlib.MAX_WBITS)


def crc32(data: bytes, value: int = 0) -> int:
    """Return the CRC `value` continued with `data`."""
    crc: int = (zlib if isal_zlib is None else isal_zlib).crc32(data, value)
    return crc
