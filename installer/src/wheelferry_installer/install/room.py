"""How much room an installation takes, from bytes whose hash was checked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path

from wheelferry_installer.system import disk
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_installer.wheel.zip_directory import foretold_sizes
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
    """Raise `TransferError` unless packages and a Python have room where `folder` will be.

    The sizes stand at the end of each wheel, and count only once its hash was checked. That means
    to read the bundle once more, so it is done only where the disk is not plainly large enough.
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
    """Return what a wheel unpacks to; its own size where it does not say, or is damaged."""
    try:
        sizes = foretold_sizes(_ending(bundle, wheel))
    except MalformedError:
        # The installation says what is wrong with it.
        sizes = None
    return wheel.size if sizes is None else sum(-(-size // block) * block for size in sizes)


def _of_archive(bundle: VerifiedBundle, archive: Member) -> int:
    """Return what an archive of a Python unpacks to; its own size where it does not say."""
    try:
        ending = _ending(bundle, archive)
    except MalformedError:
        return archive.size
    # gzip ends with the size of what was packed (RFC 1952, 2.3.1).
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
