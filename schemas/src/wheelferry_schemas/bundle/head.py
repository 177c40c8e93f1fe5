"""The head of an archive: manifest and signatures, the members whose size is not known in advance.

Only name and size are read from their tar headers, within fixed limits; nothing is trusted yet, and
the manifest is not even parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wheelferry_schemas.bundle import layout
from wheelferry_schemas.errors import TamperedError


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMember:
    """The manifest or a signature as it lies in the archive: name, header and content."""

    name: str
    header: bytes
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The manifest, the signatures, and the number of the first frame after them."""

    manifest: HeadMember
    signatures: tuple[HeadMember, ...]
    next_frame: int


def read_head(sizes: Sequence[int], content: Callable[[int], bytes]) -> Head:
    """Read the head from the frames of an archive.

    `sizes` are the content sizes of all frames; `content` decompresses the frame of a number, to
    exactly that size. Raises `TamperedError`.
    """
    manifest, number = _read_member(sizes, content, layout.MANIFEST, 0)
    signatures: list[HeadMember] = []
    while True:
        name = layout.signature_name(len(signatures) + 1)
        if not _begins(sizes, content, name, number):
            return Head(manifest=manifest, signatures=tuple(signatures), next_frame=number)
        if len(signatures) == layout.MAX_SIGNATURES:
            raise TamperedError(f"there are more than {layout.MAX_SIGNATURES} signatures")
        signature, number = _read_member(sizes, content, name, number)
        signatures.append(signature)


def _begins(sizes: Sequence[int], content: Callable[[int], bytes], name: str, number: int) -> bool:
    """Return whether the frame of that number holds the signature called `name`."""
    if number >= len(sizes) or sizes[number] > layout.BLOCK + layout.MAX_SIGNATURE_SIZE:
        return False
    return layout.names(content(number)[: layout.BLOCK], name)


def _read_member(
    sizes: Sequence[int], content: Callable[[int], bytes], name: str, number: int
) -> tuple[HeadMember, int]:
    """Return a member and the number of the frame after it."""
    if number >= len(sizes):
        raise TamperedError(f"{name} is missing")
    piece = content(number)
    header = piece[: layout.BLOCK]
    size = layout.stated_size(header, name)
    total = layout.BLOCK + size + len(layout.padding(size))
    expected = list(layout.frame_sizes(total))
    if list(sizes[number : number + len(expected)]) != expected:
        raise TamperedError(f"{name} is not as long as it says")
    pieces = [piece, *map(content, range(number + 1, number + len(expected)))]
    whole = b"".join(pieces)
    if whole[layout.BLOCK + size :] != layout.padding(size):
        raise TamperedError(f"{name} is not padded with zeros")
    member = HeadMember(name=name, header=header, content=whole[layout.BLOCK : layout.BLOCK + size])
    return member, number + len(expected)
