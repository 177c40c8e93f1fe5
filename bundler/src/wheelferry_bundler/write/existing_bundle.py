"""Reads the head of an existing bundle, to add a signature or to learn its targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from wheelferry_schemas.bundle import layout, manifest, seek_table
from wheelferry_schemas.bundle.head import Head, read_head
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.bundle.seek_table import Frame
from wheelferry_schemas.bundle.self_contained import HEAD_SIZE, find_bundle
from wheelferry_schemas.errors import TamperedError, TransferError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingBundle:
    """The frames of a bundle, the size of the seek table at its end, and its head."""

    frames: tuple[Frame, ...]
    table_size: int
    head: Head


def read_existing(file: BinaryIO) -> ExistingBundle:
    """Read the head of an open bundle without checking signatures.

    Raises `TamperedError` for what is not a bundle, `UsageError` for a self-contained file.
    """
    frames, table_size = _read_table(file)
    head = read_head([frame.size for frame in frames], lambda n: _content(file, frames[n]))
    return ExistingBundle(frames=frames, table_size=table_size, head=head)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a bundle without checking signatures.

    Raises `TransferError` where the file cannot be read, and as `read_existing`.
    """
    try:
        with path.open("rb") as file:
            head = read_existing(file).head
    except OSError as error:
        raise TransferError(
            f"{path} cannot be read: {error.strerror or error}", hint="is the path right?"
        ) from error
    return manifest.parse(head.manifest.content)


def _read_table(file: BinaryIO) -> tuple[tuple[Frame, ...], int]:
    if find_bundle(file.read(HEAD_SIZE)) is not None:
        raise UsageError(
            "this is a self-contained file, not a bundle",
            hint="sign the bundle first, then: bundle bootstrap --bundle bundle.tar.zst",
        )
    size = file.seek(0, 2)
    file.seek(max(size - seek_table.FOOTER_SIZE, 0))
    table_size = seek_table.size_from_footer(file.read())
    if table_size > size:
        raise TamperedError("the file is shorter than its seek table says")
    file.seek(size - table_size)
    return seek_table.decode(file.read(), size), table_size


def _content(file: BinaryIO, frame: Frame) -> bytes:
    if frame.size > layout.FRAME_SIZE:
        raise TamperedError("a frame of the bundle is larger than any frame can be")
    file.seek(frame.offset)
    data = file.read(frame.compressed_size)
    try:
        if zstandard.get_frame_parameters(data).content_size != frame.size:
            raise TamperedError("a frame of the bundle has another size than its seek table says")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=frame.size)
    except zstandard.ZstdError as error:
        raise TamperedError(f"a frame of the bundle cannot be unfolded ({error})") from error
