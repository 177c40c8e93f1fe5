"""Writes the archive: each wheel is read once, and hashed and compressed in the same pass.

The manifest comes first and states every hash, so the hashes are known before the wheels are read;
a wheel that no longer has its hash stops the writing. Threads read, hash and compress frames, which
are written in order, so that the bytes do not depend on the number of threads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from wheelferry_schemas.bundle import layout, seek_table
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.errors import MalformedError, TransferError

LEVEL = 1
"""Wheels are already compressed; higher levels gain 1 to 3% and cost seconds."""
_THREADS = 2
_AHEAD = 3
"""The number of frames that may wait to be written, which limits memory."""
_FLUSHED_AT_ONCE = 64 * 2**20


class ChangedFileError(MalformedError):
    """A file whose content has changed since it was fetched or built."""

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
    Raises `ChangedFileError` where content has another size or hash than the manifest states,
    `TransferError` where a file cannot be read or the archive cannot be written. On failure nothing
    is left behind.
    """
    members = _members(manifest, manifest_bytes, signatures, contents)
    try:
        with replacing(path) as file:
            return _write_frames(file, members, on_progress)
    except OSError as error:
        raise TransferError(
            f"{path} could not be written: {error.strerror or error}",
            hint="no part of it was left behind; free space or choose another --output",
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` if the block succeeds."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The part of a member in a frame: of its header, its content and its padding."""

    head: bytes
    start: int
    stop: int
    tail: bytes

    @property
    def size(self) -> int:
        """The decompressed size of the frame."""
        return len(self.head) + self.stop - self.start + len(self.tail)


def pieces(head: bytes, size: int) -> Iterator[Piece]:
    """Yield the pieces of a member with `size` bytes after its header."""
    start, tail = 0, layout.padding(size)
    for frame_size in layout.frame_sizes(len(head) + size + len(tail)):
        stop = min(size, start + frame_size - len(head))
        room = frame_size - len(head) - (stop - start)
        yield Piece(head=head, start=start, stop=stop, tail=tail[:room])
        head, start, tail = b"", stop, tail[room:]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A member to write; `sha256` is the expected hash of its content, None where it is given."""

    name: str
    head: bytes
    size: int
    content: bytes | Path
    sha256: str | None


def _members(
    manifest: Manifest,
    manifest_bytes: bytes,
    signatures: Sequence[bytes],
    contents: Mapping[str, bytes | Path],
) -> Iterator[_Member]:
    created = manifest.created_at

    def given(name: str, data: bytes) -> _Member:
        head = layout.header(name, len(data), created)
        return _Member(name=name, head=head, size=len(data), content=data, sha256=None)

    yield given(layout.MANIFEST, manifest_bytes)
    for number, signature in enumerate(signatures, start=1):
        yield given(layout.signature_name(number), signature)
    for member in layout.members(manifest):
        yield _Member(
            name=member.name,
            head=layout.header(member.name, member.size, created),
            size=member.size,
            content=contents[member.name],
            sha256=member.sha256,
        )
    yield _Member(name="", head=layout.END_OF_ARCHIVE, size=0, content=b"", sha256=None)


def _write_frames(
    file: BinaryIO, members: Iterator[_Member], on_progress: Callable[[int], None]
) -> int:
    frames: list[tuple[int, int]] = []
    waiting: deque[tuple[int, Future[bytes]]] = deque()

    def write_next() -> None:
        size, job = waiting.popleft()
        data = job.result()
        file.write(data)
        frames.append((len(data), size))
        wrote(len(data))
        on_progress(size)

    with ThreadPoolExecutor(_THREADS) as pool, _flushing(file) as wrote:
        for member in members:
            for piece, job in _frames(pool, member):
                waiting.append((piece.size, job))
                if len(waiting) > _AHEAD:
                    write_next()
        while waiting:
            write_next()
    table = seek_table.encode(frames)
    file.write(table)
    return sum(size for size, _ in frames) + len(table)


def _frames(pool: ThreadPoolExecutor, member: _Member) -> Iterator[tuple[Piece, Future[bytes]]]:
    digest = hashlib.sha256()
    job: Future[bytes] | None = None
    for piece in pieces(member.head, member.size):
        job = pool.submit(_make_frame, member, piece, digest, job)
        yield piece, job


def _make_frame(
    member: _Member, piece: Piece, digest: hashlib._Hash, before: Future[bytes] | None
) -> bytes:
    """Return a frame, after the hash has been updated with the frames `before`."""
    frame = _thread.frame[: piece.size]
    start, stop = len(piece.head), len(piece.head) + piece.stop - piece.start
    frame[:start], frame[stop:] = piece.head, piece.tail
    _read(member, piece.start, frame[start:stop])
    data = compress_frame(frame)
    if before is not None:
        # The pool is a queue: an earlier job has started earlier.
        before.result()
    digest.update(frame[start:stop])
    if piece.stop == member.size and member.sha256 not in (None, digest.hexdigest()):
        raise ChangedFileError(member.name, member.sha256 or "")
    return data


def _read(member: _Member, start: int, room: memoryview) -> None:
    """Fill `room` with the content from `start`; raises where the file has another size."""
    stop = start + len(room)
    if isinstance(member.content, bytes):
        room[:] = member.content[start:stop]
        return
    try:
        with member.content.open("rb") as file:
            file.seek(start)
            read = file.readinto(room)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise TransferError(
            f"{member.name} can no longer be read: {error.strerror}", hint="run this again"
        ) from error
    if read != len(room) or size != member.size:
        raise ChangedFileError(member.name, member.sha256 or "")


@contextlib.contextmanager
def _flushing(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Flush a file while it grows; a USB stick would otherwise take minutes at the end."""
    unflushed = 0
    job: Future[None] | None = None

    def wrote(size: int) -> None:
        nonlocal unflushed, job
        unflushed += size
        if unflushed >= _FLUSHED_AT_ONCE:
            if job is not None:
                job.result()
            unflushed, job = 0, pool.submit(os.fsync, file.fileno())

    with ThreadPoolExecutor(1) as pool:
        yield wrote
        if job is not None:
            # An error of the last flush is raised only where no other was.
            job.result()


class _Thread(threading.local):
    """A buffer for a frame in each thread: allocating one costs more than filling it."""

    def __init__(self) -> None:
        self.frame = memoryview(bytearray(layout.FRAME_SIZE))


_thread = _Thread()


def compress_frame(piece: bytes | memoryview) -> bytes:
    """Return one frame with content size and checksum."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, write_checksum=True, write_content_size=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(piece)
