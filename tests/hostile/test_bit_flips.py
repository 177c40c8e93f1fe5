"""Every single bit of a small bundle, flipped: refused, or what is installed is unchanged."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from support.making.archives import join_plain, member, packed_frames, policy_of
from support.making.bundles import make_manifest
from support.making.wheels import make_wheel
from vectors.good_bundle import alice
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import verify
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import serialize
from wheelferry_schemas.errors import MalformedError, TrustError

NOW = 1_700_003_600
FRAMES = ("manifest", "signature", "document", "wheel", "end", "table")
POLICY = policy_of(alice())


@functools.cache
def _small_bundle() -> bytes:
    wheel = make_wheel("w", files={"w.py": b""})
    manifest = serialize(make_manifest([wheel], documents={"requirements.txt": b"w\n"}))
    frames = [
        member(layout.MANIFEST, manifest),
        member(layout.signature_name(1), alice().sign(manifest)),
        member("requirements.txt", b"w\n"),
        member(layout.wheel_name(wheel.file_name), wheel.data),
        layout.END_OF_ARCHIVE,
    ]
    return join_plain(frames)


def _range(frame: str) -> range:
    """Return where a frame, or the table after all of them, lies in the file."""
    number = FRAMES.index(frame)
    sizes = [len(packed) for packed in packed_frames(_small_bundle())]
    start = sum(sizes[:number])
    return range(start, start + sizes[number] if number < len(sizes) else len(_small_bundle()))


def _read(path: Path) -> list[bytes] | None:
    """Return all that an installation uses of a bundle; None where it is refused."""
    try:
        opened = open_bundle(path)
    except MalformedError:
        return None
    try:
        bundle = verify(opened, POLICY, NOW)
        found = [bundle.manifest_bytes, *(one.content for one in bundle.signature_members)]
        for one in bundle.members:
            pieces: list[bytes] = []
            bundle.read(one, lambda piece: pieces.append(bytes(piece)))  # noqa: B023
            found.append(b"".join(pieces))
        bundle.check_end()
    except (MalformedError, TrustError):
        return None
    finally:
        opened.archive.close()
    return found


@pytest.mark.parametrize("frame", FRAMES)
def test_no_flipped_bit_changes_what_is_installed(frame: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(_small_bundle())
    good = _read(path)
    assert good is not None
    refused = 0
    descriptor = os.open(path, os.O_WRONLY)
    for at in _range(frame):
        byte = _small_bundle()[at]
        for bit in range(8):
            os.pwrite(descriptor, bytes([byte ^ 1 << bit]), at)
            found = _read(path)
            assert found in (None, good), (at, bit)
            refused += found is None
        os.pwrite(descriptor, bytes([byte]), at)
    os.close(descriptor)
    # zstd has a few ways to spell the same bytes: those flips change nothing.
    assert refused > 0.95 * 8 * len(_range(frame))
