"""Hashes files in chunks."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

_CHUNK = 2**20


def hash_file(path: Path) -> tuple[str, int]:
    """Return the sha256 and the size of a file."""
    with path.open("rb") as file:
        return hash_stream(file)


def hash_stream(file: BinaryIO) -> tuple[str, int]:
    """Return the sha256 and the size of an open file, read from its beginning."""
    digest = hashlib.sha256()
    size = 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
