"""The layout of an archive, computed from its manifest (FORMAT.md, sections 1 and 2).

An archive is a tar stream in which every byte after the signatures follows from the manifest.
A reader therefore compares: it never parses a header, except for the sizes of the manifest and
the signatures, which are not known in advance.

- Each member is a ustar header (with a PAX header before it where the name asks for one), the
  content, and zeros up to the next multiple of 512.
- Two blocks of zeros end the stream.
- The stream is cut into zstd frames: a member begins one, and a frame holds `FRAME_SIZE` bytes
  or what is left of the member.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from wheelferry_schemas.bundle.manifest import MAX_MANIFEST_SIZE, MAX_MEMBER_SIZE, Manifest
from wheelferry_schemas.errors import TamperedError

BLOCK = tarfile.BLOCKSIZE
END_OF_ARCHIVE = bytes(2 * BLOCK)
FRAME_SIZE = 8 * 2**20
"""The most content that a zstd frame holds; its window is never larger."""
MANIFEST = "manifest.json"
SBOM = "sbom.cdx.json"
MAX_SIGNATURES = 16
MAX_SIGNATURE_SIZE = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of the archive whose size and hash the manifest states."""

    name: str
    size: int
    sha256: str


def signature_name(number: int) -> str:
    """Return the member name of a signature; the first has number 1."""
    return f"signatures/{number}.sig"


def wheel_name(wheel: str) -> str:
    """Return the member name of a wheel."""
    return f"wheels/{wheel}"


def python_name(archive: str) -> str:
    """Return the member name of a Python archive."""
    return f"pythons/{archive}"


def pylock_name(target: str, *, alone: bool) -> str:
    """Return the name of a target's lock, with the target's id unless it is `alone`."""
    return "pylock.toml" if alone else f"pylock.{target}.toml"


def requirements_name(target: str, *, alone: bool) -> str:
    """Return the name of a target's requirements, with the id as for its lock."""
    return "requirements.txt" if alone else f"requirements.{target}.txt"


def members(manifest: Manifest) -> tuple[Member, ...]:
    """Return the members after the signatures, in order: documents, Python archives, wheels."""
    return (
        *(Member(name=d.name, size=d.size, sha256=d.sha256) for d in manifest.documents),
        *(Member(name=python_name(p.name), size=p.size, sha256=p.sha256) for p in manifest.pythons),
        *(
            Member(name=wheel_name(p.wheel), size=p.size, sha256=p.sha256)
            for p in manifest.packages
        ),
    )


def header(name: str, size: int, created: int) -> bytes:
    """Return the tar header of a member: 512 bytes, or 1,536 for a long name.

    `created` is the manifest's time in seconds since the epoch.
    """
    info = tarfile.TarInfo(name)
    info.size = size
    info.mtime = created
    info.mode = 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def padding(size: int) -> bytes:
    """Return the zeros between content of `size` bytes and the next header."""
    return bytes(-size % BLOCK)


def frame_sizes(stream_size: int) -> Iterator[int]:
    """Yield the content sizes of the frames that a member with its header is cut into."""
    while stream_size > 0:
        yield min(stream_size, FRAME_SIZE)
        stream_size -= FRAME_SIZE


def stream_size(name: str, size: int, created: int) -> int:
    """Return the size of a member in the tar stream, with header and padding."""
    return len(header(name, size, created)) + size + len(padding(size))


def stated_size(block: bytes, name: str) -> int:
    """Return the size that the header of the manifest or of a signature states.

    Raises `TamperedError` if the block is not the header of a member called `name`, or if the size
    is above its limit. The rest of the header is compared later, when the manifest has stated the
    time.
    """
    limit = MAX_MANIFEST_SIZE if name == MANIFEST else MAX_SIGNATURE_SIZE
    if not names(block, name):
        raise TamperedError(f"{name} is not where it belongs in the bundle")
    digits = block[124:135]
    if block[135] != 0 or not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise TamperedError(f"the size of {name} cannot be read")
    size = int(digits, 8)
    if not 0 < size <= min(limit, MAX_MEMBER_SIZE):
        raise TamperedError(f"{name} has {size} bytes, expected 1 to {limit}")
    return size


def names(block: bytes, name: str) -> bool:
    """Return whether a tar header is that of a member called `name` (at most 100 bytes)."""
    return len(block) == BLOCK and block[:100] == name.encode().ljust(100, b"\0")
