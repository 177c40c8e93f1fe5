"""Hashes files and streams piece by piece."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

_CHUNK = 2**20


def stream_digest(stream: BinaryIO, algorithm: str = "sha256") -> bytes:
    """Return the hash of a whole stream; raises `ValueError` for unknown algorithms."""
    digest = hashlib.new(algorithm)
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def file_digest(path: Path, algorithm: str = "sha256") -> bytes | None:
    """Return the hash of a file, None where it cannot be read or the algorithm is unknown."""
    try:
        with path.open("rb") as file:
            return stream_digest(file, algorithm)
    except (OSError, ValueError):
        return None
