"""Fetches what was selected: in parallel, resumed, streamed through the hash, into the cache.

A file is taken from wherever its hash matches: this host's path that the lock names, the cache,
the locked URL. Every failure is collected, and then raised as one error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import requests

from wheelferry_bundler.cache import Cache
from wheelferry_bundler.file_locks import try_lock
from wheelferry_bundler.locked import Artifact
from wheelferry_schemas.errors import MalformedError, TransferError, WheelferryError

CHUNK = 2**20
TIMEOUT = (15, 60)
"""Seconds to connect, and between two chunks."""
PAUSES = (0.5, 1.5, 4.0)
"""Seconds before each further attempt."""
_WORKERS = 8
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_HINTS = {
    401: "the index asks for a login: put it into ~/.netrc, or into the URL of the index",
    403: "the index refuses this login or this host",
    404: "the file is gone from the index: lock the project again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file on this host whose content had the right hash when it was read."""

    path: Path
    sha256: str
    size: int


def fetch(
    artifacts: Iterable[Artifact], cache: Cache, on_progress: Callable[[str, int], None]
) -> Mapping[str, Fetched]:
    """Fetch files by their sha256, which every artifact must state.

    `on_progress` is called with the file name and the number of bytes as each one is there.
    Raises `MalformedError` where a file has another hash than the lock says, `TransferError`
    where files cannot be had; either names all of them.
    """
    wanted = {artifact.sha256: artifact for artifact in artifacts if artifact.sha256 is not None}
    fetched: dict[str, Fetched] = {}
    problems: list[WheelferryError] = []
    downloader = _Downloader(cache)
    with ThreadPoolExecutor(_WORKERS) as pool:
        # Big files first keeps the last minutes from being one thread's.
        queue = sorted(wanted.values(), key=lambda artifact: -(artifact.size or 0))
        jobs = {pool.submit(downloader.obtain, artifact): artifact for artifact in queue}
        try:
            for job in as_completed(jobs):
                artifact = jobs[job]
                try:
                    file = job.result()
                except WheelferryError as error:
                    problems.append(error)
                    continue
                fetched[file.sha256] = file
                on_progress(artifact.file_name, file.size)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if problems:
        raise _joined(problems, len(wanted))
    return fetched


def hash_file(path: Path) -> tuple[str, int]:
    """Return the sha256 and the size of a file."""
    with path.open("rb") as file:
        return _hash_stream(file)


def _hash_stream(file: BinaryIO) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _joined(problems: Sequence[WheelferryError], wanted: int) -> WheelferryError:
    tampered = any(isinstance(problem, MalformedError) for problem in problems)
    kind = MalformedError if tampered else TransferError
    hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
    if len(problems) == 1:
        return problems[0]
    return kind(
        f"{len(problems)} of {wanted} files could not be fetched",
        details=sorted(problem.message for problem in problems),
        hint="; ".join(hints) or None,
    )


class _Downloader:
    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._sessions = threading.local()
        self._silent_hosts: set[str] = set()

    def obtain(self, artifact: Artifact) -> Fetched:
        sha256 = artifact.sha256 or ""
        try:
            if artifact.path is not None:
                return _checked(artifact, artifact.path)
            cached = self._cache.get(sha256)
            if cached is not None:
                return Fetched(path=cached, sha256=sha256, size=cached.stat().st_size)
            if artifact.url is None:
                raise TransferError(f"the lock does not say where {artifact.file_name} is")
            return self._download(artifact, artifact.url, sha256)
        except OSError as error:
            raise TransferError(
                f"{artifact.file_name}: {error.strerror or error}",
                hint=f"is there space left where the cache is ({self._cache.folder})?",
            ) from error

    def _download(self, artifact: Artifact, url: str, sha256: str) -> Fetched:
        path = self._cache.partial(sha256)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(path.open("ab+"))
            if not try_lock(file):
                # Another run is fetching the same file: leave its partial one alone.
                path = path.with_name(f"{path.name}.{os.getpid()}")
                file = stack.enter_context(path.open("wb+"))
                stack.callback(path.unlink, missing_ok=True)
            for pause in (*PAUSES, None):
                problem = self._attempt(artifact, url, file)
                if problem is None:
                    break
                if pause is None or not isinstance(problem, _Passing):
                    if isinstance(problem, _Silent):
                        # The others need not wait for that host all over again.
                        self._silent_hosts.add(urlsplit(url).hostname or "")
                    raise problem.error
                time.sleep(pause)
            file.flush()
            file.seek(0)
            found, size = _hash_stream(file)
            if found != sha256:
                # A partial file that a mirror completed with other bytes must not stay.
                file.truncate(0)
                raise _mismatch(artifact, found)
            return Fetched(path=self._cache.adopt(path, sha256), sha256=sha256, size=size)

    def _attempt(self, artifact: Artifact, url: str, file: BinaryIO) -> _Problem | None:
        """Fetch what is still missing of a file; returns what went wrong, or None."""
        host = urlsplit(url).hostname or ""
        if host in self._silent_hosts:
            return _Problem(_unreachable(artifact, host))
        start = file.seek(0, os.SEEK_END)
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            with self._session().get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                return _receive(artifact, answer, file, start)
        except (requests.ConnectionError, requests.Timeout):
            if not start and file.seek(0, os.SEEK_END) == 0:
                return _Silent(_unreachable(artifact, host))
            return _Passing(
                TransferError(
                    f"{artifact.file_name}: the connection to {host} broke off again and again",
                    hint="run the same command again: it goes on where it stopped",
                )
            )
        except requests.RequestException as error:
            return _Problem(TransferError(f"{artifact.file_name}: {type(error).__name__}"))

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        session: requests.Session = self._sessions.session
        return session


@dataclass(frozen=True, slots=True)
class _Problem:
    error: WheelferryError


class _Passing(_Problem):
    """A problem that may be gone at the next attempt."""


class _Silent(_Passing):
    """The host does not answer at all."""


def _receive(
    artifact: Artifact, answer: requests.Response, file: BinaryIO, start: int
) -> _Problem | None:
    status = answer.status_code
    if status == 416 or (status == 200 and start):
        # Nothing is left to fetch, or the server knows no ranges: from the beginning.
        file.truncate(0)
        if status == 416:
            return _Passing(TransferError(f"{artifact.file_name}: the server serves no part of it"))
    elif status not in (200, 206):
        host = urlsplit(answer.url).hostname
        error = TransferError(
            f"{artifact.file_name}: {host} answers {status} {answer.reason or ''}".rstrip(),
            hint=_HINTS.get(status),
        )
        return _Passing(error) if status in _PASSING else _Problem(error)
    file.writelines(answer.iter_content(CHUNK))
    return None


def _unreachable(artifact: Artifact, host: str) -> TransferError:
    return TransferError(
        f"{artifact.file_name}: {host} cannot be reached",
        hint="check the network, and the proxy (HTTPS_PROXY) if there is one",
    )


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
        f"{artifact.file_name} has sha256 {found}, the lock says {artifact.sha256}",
        hint="the file was changed after the lock was made: find out why before you lock again",
    )
