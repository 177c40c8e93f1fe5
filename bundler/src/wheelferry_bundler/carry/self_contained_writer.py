"""Writes a self-contained file: a line for the shell, and a ZIP archive that Python runs.

The archive holds the bundle unchanged, the first stage with the hashes of all other files, and the
installer. Its members are stored, not compressed: the bundle is read in place, and the installer's
files are already compressed. It has no ZIP64 records, since Python before 3.13 cannot run such
archives; so it has at most 4 GiB.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from wheelferry_bundler.carry.installer_files import CarriedInstaller, HostSet
from wheelferry_bundler.create.creation import Created, Progress
from wheelferry_bundler.write.archive_writer import replacing
from wheelferry_schemas.bundle.self_contained import BUNDLE, MAX_SIZE, SHEBANG, local_header
from wheelferry_schemas.errors import TransferError, UnfitError

_FIRST_STAGE = Path(__file__).with_name("first_stage.py")
_PIECE = 2**20
_END = struct.Struct("<4s4H2IH")
_MADE_ON_UNIX, _VERSION = 3 << 8, 10
_REGULAR = 0o100644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """A self-contained file that was written, and the hosts that run it."""

    path: Path
    size: int
    sha256: str
    sets: tuple[HostSet, ...]


def write_self_contained(
    path: Path,
    installer: CarriedInstaller,
    bundle: Path | None = None,
    on_progress: Callable[[int], None] = lambda _size: None,
) -> CarriedFile:
    """Write the installer, and a bundle if one is given, as one file that Python runs.

    Raises `UnfitError` if it would be too large, `TransferError` if it cannot be written; nothing
    is left behind then.
    """
    size = sum(map(len, installer.files.values())) + (bundle.stat().st_size if bundle else 0)
    if size > MAX_SIZE - 2**20:
        raise UnfitError(
            "a self-contained file can have at most 4 GiB",
            hint="carry the bundle and the installer as two files: bundle bootstrap",
        )
    try:
        with replacing(path) as file:
            archive = _Archive(file)
            if bundle is not None:
                with bundle.open("rb") as content:
                    archive.add(BUNDLE, content, on_progress)
            archive.add("__main__.py", BytesIO(first_stage(installer)))
            for name, data in sorted(installer.files.items()):
                archive.add(name, BytesIO(data))
            archive.finish()
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o444) >> 2)
    except OSError as error:
        raise TransferError(
            f"{path} could not be written: {error.strerror or error}",
            hint="nothing was left behind; free space, or choose another --output",
        ) from error
    return CarriedFile(path=path, size=archive.size, sha256=archive.sha256, sets=installer.sets)


@contextmanager
def bundle_beside(output: Path) -> Iterator[Path]:
    """Yield a temporary path for a bundle to be wrapped into `output`."""
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        yield Path(folder, BUNDLE)


def wrap(
    created: Created, installer: CarriedInstaller, output: Path, progress: Progress
) -> Created:
    """Write a created bundle and the installer as one file; raises as `write_self_contained`."""
    progress.step("wrapping", created.size)
    written = write_self_contained(
        output, installer, created.path, lambda size: progress.advance("", size)
    )
    return dataclasses.replace(created, path=output, size=written.size, sha256=written.sha256)


def first_stage(installer: CarriedInstaller) -> bytes:
    """Return the first stage, filled in with the hashes of the installer's files and its sets."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in installer.files.items()}
    sets = [(one.python, one.platform, one.files) for one in installer.sets]
    text = _FIRST_STAGE.read_text(encoding="utf-8")
    for empty, full in (("FILES = {}", hashes), ("SETS = []", sets)):
        before, found, after = text.partition(f"\n{empty}")
        assert found
        filled = json.dumps(full, indent=1, sort_keys=True)
        text = f"{before}\n{empty[:-2]}{filled}{after}"
    return text.encode()


class _Archive:
    """Writes a ZIP archive of stored files sequentially."""

    def __init__(self, file: BinaryIO) -> None:
        self.size = 0
        self._file = file
        self._digest = hashlib.sha256()
        self._directory: list[bytes] = []
        self._write(SHEBANG)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(
        self,
        name: str,
        content: BinaryIO,
        on_progress: Callable[[int], None] = lambda _size: None,
    ) -> None:
        """Add a file; `content` is read twice, since its checksum precedes it."""
        crc = size = 0
        for piece in _pieces(content):
            crc = zlib.crc32(piece, crc)
            size += len(piece)
        local = local_header(name, crc, size)
        # The directory repeats the local header from its second field on.
        repeated = local[4 : -len(name)]
        self._directory.append(
            struct.pack("<4sH", b"PK\1\2", _MADE_ON_UNIX | _VERSION)
            + repeated
            + struct.pack("<3H2I", 0, 0, 0, _REGULAR, self.size)
            + name.encode("ascii")
        )
        self._write(local)
        for piece in _pieces(content):
            self._write(piece)
            on_progress(len(piece))

    def finish(self) -> None:
        """Write the directory."""
        directory = b"".join(self._directory)
        number = len(self._directory)
        end = _END.pack(b"PK\5\6", 0, 0, number, number, len(directory), self.size, 0)
        self._write(directory + end)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    while piece := content.read(_PIECE):
        yield piece
