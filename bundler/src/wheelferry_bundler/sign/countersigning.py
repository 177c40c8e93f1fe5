"""Adds signatures to an existing bundle without changing any other byte of its content.

New members follow the existing signatures. Frames are copied unchanged, so that manifest,
documents, wheels and the other signatures stay the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import zstandard

from wheelferry_bundler.sign.signing_keys import Signer
from wheelferry_bundler.write.archive_writer import compress_frame, pieces, replacing
from wheelferry_bundler.write.existing_bundle import read_existing
from wheelferry_schemas.bundle import layout, manifest, seek_table
from wheelferry_schemas.bundle.head import Head
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.errors import (
    ConflictError,
    MalformedError,
    TamperedError,
    TransferError,
    UsageError,
)
from wheelferry_schemas.trust import sshsig

_CHUNK = 2**20


def add_signatures(path: Path, signers: Sequence[Signer]) -> Manifest:
    """Sign the manifest of a bundle with each of the keys, and return the manifest.

    Raises `TamperedError` for what is not a bundle, `ConflictError` where a key has already signed
    it, `UsageError` where it cannot hold more signatures, `TransferError` where it cannot be
    written. On failure the bundle is unchanged.
    """
    try:
        with path.open("rb") as file:
            existing = read_existing(file)
            frames, head = existing.frames, existing.head
            signed = manifest.parse(head.manifest.content)
            _check_new(path, head, signers)
            new = [
                compress_frame(piece)
                for number, signer in enumerate(signers, start=len(head.signatures) + 1)
                for piece in _signature_frames(number, signer.sign(head.manifest.content), signed)
            ]
            sizes = [zstandard.get_frame_parameters(frame).content_size for frame in new]
            at = frames[head.next_frame].offset
            with replacing(path) as output:
                file.seek(0)
                _copy(file, output, at)
                output.write(b"".join(new))
                _copy(file, output, path.stat().st_size - at - existing.table_size)
                listed = [(frame.compressed_size, frame.size) for frame in frames]
                listed[head.next_frame : head.next_frame] = zip(map(len, new), sizes, strict=True)
                output.write(seek_table.encode(listed))
    except OSError as error:
        raise TransferError(
            f"{path} could not be signed: {error.strerror or error}", hint="it is unchanged"
        ) from error
    return signed


def _check_new(path: Path, head: Head, signers: Sequence[Signer]) -> None:
    present = set()
    for member in head.signatures:
        try:
            present.add(sshsig.decode(member.content).key)
        except MalformedError:
            # Verification reports it.
            continue
    for signer in signers:
        if signer.public in present:
            raise ConflictError(
                f"{path.name} has a signature by {signer.name} {signer.public.fingerprint} already",
                hint="sign it with another key",
            )
        present.add(signer.public)
    if len(head.signatures) + len(signers) > layout.MAX_SIGNATURES:
        raise UsageError(
            f"a bundle holds at most {layout.MAX_SIGNATURES} signatures",
            hint="create the bundle again, and sign it only with the keys that are needed",
        )


def _signature_frames(number: int, armored: bytes, signed: Manifest) -> list[bytes]:
    header = layout.header(layout.signature_name(number), len(armored), signed.created_at)
    return [
        piece.head + armored[piece.start : piece.stop] + piece.tail
        for piece in pieces(header, len(armored))
    ]


def _copy(file: BinaryIO, output: BinaryIO, size: int) -> None:
    while size > 0:
        piece = file.read(min(size, _CHUNK))
        if not piece:
            raise TamperedError("the bundle ends too early")
        output.write(piece)
        size -= len(piece)
