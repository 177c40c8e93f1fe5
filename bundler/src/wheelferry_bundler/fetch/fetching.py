"""Fetches the selected files into the cache: in parallel, resumable, hashed on arrival.

A file is taken from the first place where its hash matches: a path on this host that the lock
names, the cache, a folder of wheels, a mirror, the locked URL. All failures are collected and
raised as one error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.file_lock import try_lock
from wheelferry_bundler.fetch.hashing import hash_file, hash_stream
from wheelferry_bundler.fetch.logins import Logins
from wheelferry_bundler.fetch.mirrors import Mirrors
from wheelferry_bundler.fetch.transfers import UNREACHABLE, AttemptError, Transfers, WrongSizeError
from wheelferry_bundler.model.locations import Index, Locations
from wheelferry_bundler.model.locked import Artifact
from wheelferry_schemas.errors import MalformedError, TransferError, WheelferryError

_WORKERS = 8
_NOWHERE = "the lock does not say where it is"
_CHANGED = "the file was changed after the lock was made: find out why before you lock again"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file on this host, with the hash and size that it had when it was read."""

    path: Path
    sha256: str
    size: int


def fetch(
    artifacts: Iterable[Artifact],
    cache: Cache,
    on_progress: Callable[[str, int], None],
    locations: Locations | None = None,
) -> Mapping[Artifact, Fetched]:
    """Fetch files, each hash once; a file without a stated hash is hashed on arrival.

    Nothing vouches for a file without a stated hash: pass only those that the user allowed.
    `on_progress` is called from several threads with the name of a file and the number of bytes
    that have arrived since, negative where the transfer starts over.
    Raises `MalformedError` where a file has another hash than the lock states, `TransferError`
    where files cannot be fetched; either names all of them.
    """
    wanted = list(artifacts)
    distinct = _distinct(wanted)
    with _fetcher(cache, locations, on_progress) as fetcher:
        fetched = fetcher.each(distinct.values())
    return {artifact: fetched[distinct[artifact.sha256 or artifact]] for artifact in wanted}


def total_size(artifacts: Iterable[Artifact]) -> int | None:
    """Return the number of bytes of all files, None where the size of one is not stated."""
    sizes = [artifact.size for artifact in _distinct(artifacts).values()]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _distinct(artifacts: Iterable[Artifact]) -> Mapping[str | Artifact, Artifact]:
    """Return one artifact for each hash, and each artifact without a hash."""
    return {artifact.sha256 or artifact: artifact for artifact in artifacts}


@contextlib.contextmanager
def connections(locations: Locations) -> Iterator[tuple[Transfers, Mirrors]]:
    """Open connections with the logins of these locations, and their mirrors."""
    own = tuple(Index(url=url) for url in locations.mirrors)
    transfers = Transfers(Logins((*own, *locations.indexes)))
    try:
        yield transfers, Mirrors(locations.mirrors, transfers)
    finally:
        transfers.close()


def lies_here(artifact: Artifact, cache: Cache, locations: Locations) -> bool:
    """Return whether a file need not be fetched."""
    return (
        artifact.path is not None
        or artifact.file_name in locations.files
        or cache.get(artifact.sha256 or "", artifact.size) is not None
    )


@contextlib.contextmanager
def _fetcher(
    cache: Cache, locations: Locations | None, on_progress: Callable[[str, int], None]
) -> Iterator[_Fetcher]:
    locations = locations or Locations()
    with connections(locations) as (transfers, mirrors):
        yield _Fetcher(cache, transfers, mirrors, locations.files, _Tally(on_progress))


class _Tally:
    """Counts how much of each file has arrived."""

    def __init__(self, on_progress: Callable[[str, int], None]) -> None:
        self._on_progress = on_progress
        self._there: dict[Artifact, int] = {}

    def reached(self, artifact: Artifact, size: int) -> None:
        """Record the number of bytes of a file that have arrived; one thread per file at a time."""
        more = size - self._there.get(artifact, 0)
        self._there[artifact] = size
        if more:
            self._on_progress(artifact.file_name, more)


@dataclass(frozen=True, slots=True)
class _Fetcher:
    cache: Cache
    transfers: Transfers
    mirrors: Mirrors
    local: Mapping[str, tuple[Path, ...]]
    tally: _Tally

    def each(self, artifacts: Iterable[Artifact]) -> Mapping[Artifact, Fetched]:
        """Obtain all files in parallel; raises one error for all failures."""
        # Big files first, so that the last one does not keep a single thread busy.
        queue = sorted(artifacts, key=lambda artifact: -(artifact.size or 0))
        fetched: dict[Artifact, Fetched] = {}
        problems: list[WheelferryError] = []
        with ThreadPoolExecutor(_WORKERS) as pool:
            jobs = {pool.submit(self._guarded, artifact): artifact for artifact in queue}
            try:
                for job in as_completed(jobs):
                    artifact = jobs[job]
                    try:
                        fetched[artifact] = job.result()
                    except WheelferryError as error:
                        problems.append(error)
                        continue
                    self.tally.reached(artifact, fetched[artifact].size)
            except BaseException:
                self.transfers.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if problems:
            raise _joined(problems, len(queue))
        return fetched

    def _obtain(self, artifact: Artifact) -> Fetched:
        sha256 = artifact.sha256
        if sha256 is None:
            return self._obtain_unstated(artifact)
        if artifact.path is not None:
            return _checked(artifact, artifact.path)
        cached = self.cache.get(sha256, artifact.size)
        if cached is not None:
            return Fetched(path=cached, sha256=sha256, size=cached.stat().st_size)
        for near in self.local.get(artifact.file_name, ()):
            found, size = hash_file(near)
            if found == sha256:
                return Fetched(path=near, sha256=sha256, size=size)
        return self._download(artifact, sha256)

    def _obtain_unstated(self, artifact: Artifact) -> Fetched:
        if artifact.path is not None:
            sha256, size = hash_file(artifact.path)
            return Fetched(path=artifact.path, sha256=sha256, size=size)
        url = artifact.url
        if url is None:
            raise _failed(artifact, [AttemptError(_NOWHERE)])
        partial = self.cache.partial(hashlib.sha256(url.encode()).hexdigest())
        with _growing(partial) as (path, file):
            file.truncate(0)
            try:
                self.transfers.receive(url, file, artifact.size, self._counting(artifact))
            except AttemptError as problem:
                raise _failed(artifact, [problem]) from problem
            sha256, size = hash_stream(file)
            return self._adopt(path, file, sha256, size)

    def _guarded(self, artifact: Artifact) -> Fetched:
        try:
            return self._obtain(artifact)
        except OSError as error:
            raise TransferError(
                f"{artifact.file_name}: {error.strerror or error}",
                hint=f"check the free space of the cache ({self.cache.folder})?",
            ) from error

    def _download(self, artifact: Artifact, sha256: str) -> Fetched:
        """Download a file from the first URL that offers it."""
        urls, problems = self.mirrors.find(artifact.file_name, sha256)
        if artifact.url is not None:
            urls.append(artifact.url)
        elif not urls:
            problems.append(AttemptError(_NOWHERE))
        found: str | None = None
        with _growing(self.cache.partial(sha256)) as (path, file):
            for url in urls:
                try:
                    found, size = self._receive(url, file, artifact, sha256)
                except AttemptError as problem:
                    problems.append(problem)
                    continue
                if found == sha256:
                    return self._adopt(path, file, sha256, size)
        if found is not None:
            raise _mismatch(artifact, found)
        raise _failed(artifact, problems)

    def _adopt(self, path: Path, file: BinaryIO, sha256: str, size: int) -> Fetched:
        if sys.platform == "win32":
            # Windows cannot move an open file; closing releases the lock.
            file.close()
        return Fetched(path=self.cache.adopt(path, sha256), sha256=sha256, size=size)

    def _counting(self, artifact: Artifact) -> Callable[[int], None]:
        return lambda size: self.tally.reached(artifact, size)

    def _receive(
        self, url: str, file: BinaryIO, artifact: Artifact, sha256: str
    ) -> tuple[str, int]:
        """Complete `file` from a URL; returns its hash and size."""
        resumed = file.seek(0, os.SEEK_END) > 0
        counting = self._counting(artifact)
        self.transfers.receive(url, file, artifact.size, counting)
        found, received = hash_stream(file)
        if found != sha256:
            # The part that an earlier run or another URL left may be the wrong one.
            file.truncate(0)
            if resumed:
                self.transfers.receive(url, file, artifact.size, counting)
                found, received = hash_stream(file)
        if found != sha256:
            file.truncate(0)
        return found, received


@contextlib.contextmanager
def _growing(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a partial file at its end; another run never writes to the same one."""
    with contextlib.ExitStack() as stack:
        while True:
            file = stack.enter_context(path.open("ab+"))
            if not try_lock(file):
                # Another run is fetching the same file: use a partial file of our own.
                path = path.with_name(f"{path.name}.{os.getpid()}")
                stack.callback(path.unlink, missing_ok=True)
            elif _is_at(path, file):
                break
            # Otherwise another run moved it between opening and locking.
        yield path, file


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _checked(artifact: Artifact, path: Path) -> Fetched:
    try:
        found, size = hash_file(path)
    except OSError as error:
        raise TransferError(
            f"{artifact.file_name}: {path} cannot be read: {error.strerror}",
            hint="the lock names it by its path: put it back, or lock the project again",
        ) from error
    if found != artifact.sha256:
        raise _mismatch(artifact, found)
    return Fetched(path=path, sha256=found, size=size)


def _mismatch(artifact: Artifact, found: str) -> MalformedError:
    return MalformedError(
        f"{artifact.file_name} has sha256 {found}, the lock says {artifact.sha256}", hint=_CHANGED
    )


def _failed(artifact: Artifact, problems: Sequence[AttemptError]) -> WheelferryError:
    reasons = dict.fromkeys(problem.why for problem in problems)
    hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
    tampered = any(isinstance(problem, WrongSizeError) for problem in problems)
    kind = MalformedError if tampered else TransferError
    return kind(f"{artifact.file_name}: {'; '.join(reasons)}", hint="; ".join(hints) or None)


def _joined(problems: Sequence[WheelferryError], wanted: int) -> WheelferryError:
    if len({problem.message for problem in problems}) == 1:
        return problems[0]
    tampered = any(isinstance(problem, MalformedError) for problem in problems)
    kind = MalformedError if tampered else TransferError
    hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
    return kind(
        f"{len(problems)} of {wanted} files could not be fetched",
        details=_one_line_for_each_host(sorted(problem.message for problem in problems)),
        hint="; ".join(hints) or None,
    )


def _one_line_for_each_host(messages: Sequence[str]) -> list[str]:
    """Return the messages, with one line for each host that cannot be reached."""
    hosts: dict[str, list[str]] = {}
    for message in messages:
        file, _, reason = message.partition(": ")
        if reason.endswith(UNREACHABLE):
            hosts.setdefault(reason, []).append(file)
    lines = [message for message in messages if not message.endswith(UNREACHABLE)]
    for reason, (first, *others) in hosts.items():
        lines.append(f"{first}: {reason}" + (f", and {len(others)} more" if others else ""))
    return lines
