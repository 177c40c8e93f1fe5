"""Computes the space that an installation needs, from bytes whose hash was checked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path

from wheelferry_installer.system import disk
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_installer.wheel.zip_directory import stated_sizes
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.layout import Member
from wheelferry_schemas.bundle.manifest import Package, PythonArchive
from wheelferry_schemas.errors import MalformedError

_AMPLE = 10
"""Wheels unpack to three or four times their size, hardly ever to ten times."""
_BESIDES, _BESIDES_EACH = 16, 2
"""Small files that no wheel holds: of the environment and its receipt, and of each package."""
_ENDING = 32 * 2**20
"""How many of a wheel's last bytes are kept: more than the directory of any known wheel."""


def require(
    bundle: VerifiedBundle,
    packages: Iterable[Package],
    folder: Path,
    python: PythonArchive | None = None,
) -> None:
    """Raise `TransferError` unless packages, and a Python, fit where `folder` will be.

    The sizes are at the end of each wheel, and count only after its hash was checked. That means
    reading the bundle again, so it is done only if the disk may be too small.
    """
    names = {layout.wheel_name(package.wheel) for package in packages}
    wheels = [member for member in bundle.members if member.name in names]
    archives = [
        member
        for member in bundle.members
        if python is not None and member.name == layout.python_name(python.name)
    ]
    packed = sum(member.size for member in (*wheels, *archives))
    if disk.has_room(folder, _AMPLE * packed):
        return
    block = disk.block_size(folder)
    size = block * (_BESIDES + _BESIDES_EACH * len(wheels))
    size += sum(_of_wheel(bundle, wheel, block) for wheel in wheels)
    size += sum(_of_archive(bundle, archive) for archive in archives)
    disk.require_room(folder, size)


def _of_wheel(bundle: VerifiedBundle, wheel: Member, block: int) -> int:
    """Return the unpacked size of a wheel, or its own size if it does not say or is damaged."""
    try:
        sizes = stated_sizes(_ending(bundle, wheel))
    except MalformedError:
        # The installation will report what is wrong with it.
        sizes = None
    return wheel.size if sizes is None else sum(-(-size // block) * block for size in sizes)


def _of_archive(bundle: VerifiedBundle, archive: Member) -> int:
    """Return the unpacked size of a Python archive, or its own size if it does not say."""
    try:
        ending = _ending(bundle, archive)
    except MalformedError:
        return archive.size
    # gzip ends with the unpacked size (RFC 1952, 2.3.1).
    stated = int.from_bytes(ending[-4:], "little") if archive.name.endswith(".gz") else 0
    return max(archive.size, stated)


def _ending(bundle: VerifiedBundle, member: Member) -> bytes:
    """Return the last bytes of a member whose hash is right; raises `MalformedError`."""
    pieces: deque[bytes] = deque()

    def keep(piece: memoryview) -> None:
        pieces.append(bytes(piece))
        while sum(map(len, pieces)) - len(pieces[0]) >= _ENDING:
            pieces.popleft()

    bundle.read(member, keep)
    return b"".join(pieces)
