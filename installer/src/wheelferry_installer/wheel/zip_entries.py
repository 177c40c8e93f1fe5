"""Reads the contents of a ZIP archive's files, and checks each against its size, hash and CRC.

`zipfile` would take five times as long for small files. The hash makes the CRC redundant, but other
programs refuse a file for its CRC, and this reader must accept only what they accept.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from typing import BinaryIO, cast

from wheelferry_installer.wheel.inflating import InflateError, crc32, inflater
from wheelferry_installer.wheel.record import hash_of, spell
from wheelferry_installer.wheel.zip_directory import ZipEntry
from wheelferry_schemas.errors import MalformedError

_CHUNK = 2**16
_OTHER_SIZE = "has another size than it states"
_OTHER_HASH = "does not have the hash that RECORD states"
_OTHER_CRC = "does not have the CRC that it states"


class ZipEntries:
    """The contents of an archive's entries; `refuse` makes the error that is raised.

    Entries are those that `read_directory` found in the same file. Hashes are written as in RECORD;
    an empty one is not checked.
    """

    def __init__(self, file: BinaryIO, refuse: Callable[[str], MalformedError]) -> None:
        self._file = file
        self._refuse = refuse

    def read(self, entry: ZipEntry, digest: str = "") -> bytes:
        """Return the content of an entry."""
        self._file.seek(entry.start)
        data = self._file.read(entry.packed_size)
        if entry.method == zipfile.ZIP_DEFLATED:
            stream = inflater()
            try:
                # One byte more than stated is enough to detect excess.
                data = stream.decompress(data, entry.size + 1)
            except InflateError as error:
                raise self._refuse(f"{entry.name!r} cannot be inflated") from error
            if not stream.eof or stream.unused_data:
                raise self._refuse(f"{entry.name!r} {_OTHER_SIZE}")
        if len(data) != entry.size:
            raise self._refuse(f"{entry.name!r} {_OTHER_SIZE}")
        if digest and hash_of(data, digest) != digest:
            raise self._refuse(f"{entry.name!r} {_OTHER_HASH}")
        if crc32(data) != entry.crc:
            raise self._refuse(f"{entry.name!r} {_OTHER_CRC}")
        return data

    def open(self, entry: ZipEntry, digest: str = "") -> BinaryIO:
        """Return the content of an entry as a stream that can be rewound.

        The last byte is returned only if size, hash and CRC are right.
        """
        return cast("BinaryIO", _EntryStream(self._file, entry, digest, self._refuse))


class _EntryStream(io.RawIOBase):
    """Inflates an entry piece by piece; can be rewound to its beginning only."""

    def __init__(
        self,
        file: BinaryIO,
        entry: ZipEntry,
        digest: str,
        refuse: Callable[[str], MalformedError],
    ) -> None:
        self._file = file
        self._entry = entry
        self._digest = digest
        self._refuse = refuse
        self._crc = 0
        self._rewind()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if (offset, whence) == (0, os.SEEK_SET):
            self._rewind()
        elif (offset, whence) != (0, os.SEEK_CUR):
            raise io.UnsupportedOperation("only the beginning can be sought")
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        # One byte more than stated is enough to detect excess.
        data = self._next(self._entry.size + 1 if size < 0 else size)
        self._position += len(data)
        self._hash.update(data)
        self._crc = crc32(data, self._crc)
        if not data and size:
            self._check_end()
        elif self._position > self._entry.size:
            raise self._refuse(f"{self._entry.name!r} {_OTHER_SIZE}")
        elif self._position == self._entry.size:
            self._check_content()
        return data

    def _rewind(self) -> None:
        self._position = 0
        self._packed_position = 0
        self._inflater = inflater()
        self._hash = hashlib.new(self._digest.partition("=")[0] or "sha256")
        self._crc = 0

    def _check_end(self) -> None:
        is_deflated = self._entry.method == zipfile.ZIP_DEFLATED
        if (
            self._position != self._entry.size
            or self._packed_position != self._entry.packed_size
            or (is_deflated and (not self._inflater.eof or self._inflater.unused_data))
        ):
            raise self._refuse(f"{self._entry.name!r} {_OTHER_SIZE}")
        self._check_content()

    def _check_content(self) -> None:
        if self._digest and spell(self._hash.name, self._hash.digest()) != self._digest:
            raise self._refuse(f"{self._entry.name!r} {_OTHER_HASH}")
        if self._crc != self._entry.crc:
            raise self._refuse(f"{self._entry.name!r} {_OTHER_CRC}")

    def _next(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        if self._entry.method == zipfile.ZIP_STORED:
            return self._read_packed(size)
        pieces = []
        try:
            while size > 0 and not self._inflater.eof:
                packed = self._inflater.unconsumed_tail or self._read_packed(_CHUNK)
                piece = self._inflater.decompress(packed, size)
                if not piece and not packed:
                    break
                pieces.append(piece)
                size -= len(piece)
        except InflateError as error:
            raise self._refuse(f"{self._entry.name!r} cannot be inflated") from error
        return b"".join(pieces)

    def _read_packed(self, size: int) -> bytes:
        self._file.seek(self._entry.start + self._packed_position)
        data = self._file.read(min(size, self._entry.packed_size - self._packed_position))
        self._packed_position += len(data)
        return data
