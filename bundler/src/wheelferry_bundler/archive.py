"""Writes an archive: every wheel is read once, hashed and compressed on the way.

The manifest comes first and states every hash, so the hashes are known before the wheels are read;
a wheel that no longer has its hash stops the writing. Frames are compressed by threads and
written in order, so that the bytes do not depend on how many there are.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import zstandard

from wheelferry_schemas import layout, seek_table
from wheelferry_schemas.errors import MalformedError, TransferError
from wheelferry_schemas.manifest import Manifest

LEVEL = 1
"""Wheels are compressed already; higher levels gain 1 to 3% and cost seconds."""
_THREADS = 2
_AHEAD = 3
"""How many frames may wait to be written; this bounds the memory."""


class ChangedFileError(MalformedError):
    """A file that no longer has the hash that it had when it was fetched or built."""

    def __init__(self, name: str, sha256: str) -> None:
        super().__init__(
            f"{name} is no longer the file that was fetched",
            hint="run the command again; if it happens again, the disk may be failing",
        )
        self.sha256 = sha256


def write_archive(
    path: Path,
    manifest: Manifest,
    manifest_bytes: bytes,
    signatures: Sequence[bytes],
    contents: Mapping[str, bytes | Path],
    on_progress: Callable[[int], None],
) -> int:
    """Write the archive beside `path` and move it there when it is complete; returns its size.

    `contents` maps the names of the manifest's documents and wheels to their bytes or files.
    Raises `ChangedFileError` where content has another size or hash than the manifest says,
    `TransferError` where a file cannot be read or the archive not be written; then nothing is
    left behind.
    """
    pieces = _pieces(manifest, manifest_bytes, signatures, contents)
    try:
        with replacing(path) as file:
            return _write_frames(file, pieces, on_progress)
    except OSError as error:
        raise TransferError(
            f"{path} could not be written: {error.strerror or error}",
            hint="no part of it was left behind; free space or choose another --output",
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of `path` if the block ends well."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _pieces(
    manifest: Manifest,
    manifest_bytes: bytes,
    signatures: Sequence[bytes],
    contents: Mapping[str, bytes | Path],
) -> Iterator[bytes]:
    """Yield the plain content of each frame, in order."""
    created = manifest.created_at

    def whole(name: str, data: bytes) -> Iterator[bytes]:
        return member_frames(layout.header(name, len(data), created), BytesIO(data), len(data))

    yield from whole(layout.MANIFEST, manifest_bytes)
    for number, signature in enumerate(signatures, start=1):
        yield from whole(layout.signature_name(number), signature)
    for member in layout.members(manifest):
        content = contents[member.name]
        head = layout.header(member.name, member.size, created)
        with contextlib.closing(_HashingReader(member.name, content)) as file:
            yield from member_frames(head, file, member.size)
            if file.hexdigest() != member.sha256 or file.read(1):
                raise ChangedFileError(member.name, member.sha256)
    yield layout.END_OF_ARCHIVE


def member_frames(head: bytes, file: BinaryIO | _HashingReader, size: int) -> Iterator[bytes]:
    """Yield header, content and padding of a member, cut into frames."""
    tail = layout.padding(size)
    for frame_size in layout.frame_sizes(len(head) + size + len(tail)):
        body = min(size, frame_size - len(head))
        piece = head + file.read(body)
        head = b""
        size -= body
        room = frame_size - len(piece)
        yield piece + tail[:room]
        tail = tail[room:]


class _HashingReader:
    """Reads a member's content; raises `TransferError` where its file cannot be read."""

    def __init__(self, name: str, content: bytes | Path) -> None:
        self._name = name
        self._digest = hashlib.sha256()
        with self._explained():
            self._file = BytesIO(content) if isinstance(content, bytes) else content.open("rb")

    def close(self) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        with self._explained():
            data = self._file.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TransferError(
                f"{self._name} can no longer be read: {error.strerror}", hint="run this again"
            ) from error


def _write_frames(
    file: BinaryIO, pieces: Iterator[bytes], on_progress: Callable[[int], None]
) -> int:
    frames: list[tuple[int, int]] = []
    waiting: deque[tuple[int, Future[bytes]]] = deque()

    def write_next() -> None:
        size, job = waiting.popleft()
        data = job.result()
        file.write(data)
        frames.append((len(data), size))
        on_progress(size)

    with ThreadPoolExecutor(_THREADS) as pool:
        for piece in pieces:
            waiting.append((len(piece), pool.submit(compress_frame, piece)))
            if len(waiting) > _AHEAD:
                write_next()
        while waiting:
            write_next()
    table = seek_table.encode(frames)
    file.write(table)
    return sum(size for size, _ in frames) + len(table)


def compress_frame(piece: bytes) -> bytes:
    """Return one frame that states its content size and carries a checksum."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, write_checksum=True, write_content_size=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(piece)
