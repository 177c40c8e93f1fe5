"""Archives taken apart and put together again, so that a test can make one thing in them wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import zstandard

from support.making.bundles import CREATED
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.policy import Policy, SignatureVerdict, SignerList
from wheelferry_installer.verify.verification import verify, verify_contents
from wheelferry_schemas.bundle import layout, seek_table
from wheelferry_schemas.trust.allowed_signers import AllowedSigner

NOW = CREATED + 3600
"""The host's clock in these tests."""


def chance(seed: int) -> random.Random:
    """Return a source of chance that is the same in every run."""
    return random.Random(seed)  # noqa: S311 - nothing here is a secret


def policy_of(*keys: SigningKey) -> Policy:
    """Return the policy of a host that trusts these keys."""
    signers = tuple(AllowedSigner(principals=key.name, key=key.public) for key in keys)
    return Policy(lists=(SignerList(path=Path("allowed_signers"), signers=signers),))


def examine(path: Path, policy: Policy, now: int = NOW) -> tuple[SignatureVerdict, ...]:
    """Do all that `bundle verify` does."""
    opened = open_bundle(path)
    try:
        bundle = verify(opened, policy, now)
        verify_contents(bundle, ())
        return bundle.signers
    finally:
        opened.archive.close()


def packed_frames(data: bytes) -> list[bytes]:
    """Return the frames of an archive as they are in the file, without the seek table."""
    size = seek_table.size_from_footer(data[-seek_table.FOOTER_SIZE :])
    frames = seek_table.decode(data[-size:], len(data))
    return [data[frame.offset : frame.offset + frame.compressed_size] for frame in frames]


def plain_frames(data: bytes) -> list[bytes]:
    """Return what the frames of an archive hold."""
    return [zstandard.ZstdDecompressor().decompress(frame) for frame in packed_frames(data)]


def pack(
    plain: bytes,
    *,
    checksum: bool = True,
    content_size: bool = True,
    window_log: int = 0,
    dictionary: zstandard.ZstdCompressionDict | None = None,
) -> bytes:
    """Return a frame, by default as the format asks for."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        1,
        write_checksum=checksum,
        write_content_size=content_size,
        write_dict_id=dictionary is not None,
        window_log=window_log,
    )
    return zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters).compress(
        plain
    )


def join(frames: Sequence[bytes], sizes: Sequence[int]) -> bytes:
    """Return an archive of these frames, with a seek table that says these content sizes."""
    packed = [len(frame) for frame in frames]
    return b"".join(frames) + seek_table.encode(list(zip(packed, sizes, strict=True)))


def join_plain(plains: Sequence[bytes]) -> bytes:
    """Return an archive whose frames hold these bytes."""
    return join([pack(plain) for plain in plains], [len(plain) for plain in plains])


def member(name: str, data: bytes, created: int = CREATED) -> bytes:
    """Return a member as it lies in the tar stream."""
    return layout.header(name, len(data), created) + data + layout.padding(len(data))


def replaced(plains: list[bytes], number: int, plain: bytes) -> list[bytes]:
    """Return frames of which one is another."""
    return [*plains[:number], plain, *plains[number + 1 :]]
