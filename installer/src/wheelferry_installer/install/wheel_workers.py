"""Installs wheels into a staging folder, in worker processes if the host allows them.

Each worker reads its wheels from the archive, checks their hash, and installs from the same bytes,
kept in memory or, if large, in an unlinked file beside the staging folder.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from installer.utils import get_launcher_kind

from wheelferry_installer.install.wheel_destination import StagingDestination
from wheelferry_installer.install.wheel_installation import install_wheel
from wheelferry_installer.system import disk
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.bundle.layout import Member
from wheelferry_schemas.errors import TransferError, WheelferryError

MAX_WORKERS = 8
_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_MMAP_THRESHOLD = 32 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A member to read and check, and, if `distribution` is set, a wheel to install.

    `requested` wheels were asked for by name, not only as dependencies.
    """

    member: Member
    distribution: str | None
    requested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPaths:
    """Where wheels go: `schemes` are relative to `staging`, `interpreter` is a final path.

    `python` is its version, such as `3.12`. `flushed` says that everything will be flushed to disk.
    The descriptors in `lock` hold the lock of the place.
    """

    staging: Path
    schemes: dict[str, str]
    headers: str
    interpreter: str
    python: str
    flushed: bool
    lock: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one task: what its `StagingDestination` recorded, or what went wrong."""

    task: Task
    written: Sequence[str] = ()
    contested: dict[str, str] = field(default_factory=dict)
    record: tuple[str, str] | None = None
    problem: WheelferryError | None = None


def run(
    bundle: VerifiedBundle,
    tasks: Sequence[Task],
    paths: InstallPaths,
    on_progress: Callable[[Outcome], None],
) -> list[Outcome]:
    """Do all tasks, the largest first; returns their outcomes in order of names.

    A problem with one wheel does not stop the others. A failing disk does, with `OSError` or
    `TransferError`.
    """
    queue = sorted(tasks, key=lambda task: -task.member.size)
    pool = _pool(bundle, paths, min(processors(), MAX_WORKERS, len(queue)) or 1)
    if pool is None:
        outcomes = _work_alone(bundle, paths, queue, on_progress)
    else:
        with pool:
            outcomes = _work_together(pool, queue, on_progress)
    return sorted(outcomes, key=lambda outcome: outcome.task.member.name)


def _pool(bundle: VerifiedBundle, paths: InstallPaths, workers: int) -> ProcessPoolExecutor | None:
    """Return worker processes, None if the host has no semaphores for them (no `/dev/shm`)."""
    try:
        return ProcessPoolExecutor(
            workers,
            mp_context=_context(),
            initializer=_begin,
            initargs=(bundle, paths, os.getpid()),
        )
    except (OSError, ImportError, NotImplementedError):
        return None


def _work_alone(
    bundle: VerifiedBundle,
    paths: InstallPaths,
    queue: Sequence[Task],
    on_progress: Callable[[Outcome], None],
) -> list[Outcome]:
    outcomes = []
    for task in queue:
        outcomes.append(_work(bundle, paths, task))
        on_progress(outcomes[-1])
    return outcomes


def _work_together(
    pool: ProcessPoolExecutor, queue: Sequence[Task], on_progress: Callable[[Outcome], None]
) -> list[Outcome]:
    outcomes = []
    try:
        jobs = [pool.submit(_work_held, task) for task in queue]
        for job in as_completed(jobs):
            outcomes.append(job.result())
            on_progress(outcomes[-1])
    except BrokenProcessPool as error:
        raise killed() from error
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    return outcomes


def killed() -> WheelferryError:
    """Return the error that says that a worker ended without an outcome."""
    return WheelferryError(
        "a worker process was killed while it installed",
        hint="nothing was changed; did the host run out of memory? (dmesg tells)",
    )


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _context() -> multiprocessing.context.BaseContext:
    # A fork shares the open archive and the modules; `worker_process` makes sure that it is safe.
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


_bundle: VerifiedBundle
_paths: InstallPaths


def _hold(bundle: VerifiedBundle, paths: InstallPaths) -> None:
    global _bundle, _paths
    _bundle, _paths = bundle, paths


def _begin(bundle: VerifiedBundle, paths: InstallPaths, parent: int) -> None:
    _hold(bundle, paths)
    end_with(parent)


def end_with(parent: int) -> None:
    """Leave signals to the parent, and end when it ends."""
    # The parent handles Ctrl-C: it cancels waiting tasks and lets workers finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # When one worker is killed, the pool ends the others with TERM and waits for them.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        # A worker must stop writing when its parent is killed.
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        _keep_memory(libc)


def _keep_memory(libc: ctypes.CDLL) -> None:
    """Make glibc keep freed memory, which by default goes back to the kernel after each large file.

    That would cost a page fault and the clearing of a page for every 4 KiB: 5% of all time.
    """
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_MMAP_THRESHOLD)


def _work_held(task: Task) -> Outcome:
    return _work(_bundle, _paths, task)


def _work(bundle: VerifiedBundle, paths: InstallPaths, task: Task) -> Outcome:
    try:
        if task.distribution is None:
            bundle.read(task.member, _ignore)
            return Outcome(task=task)
        return _install(bundle, paths, task, task.distribution)
    except TransferError:
        # The disk or the medium fails: the other wheels would fail too, and one error is enough.
        raise
    except WheelferryError as error:
        return Outcome(task=task, problem=error)
    except OSError as error:
        # Subclasses of OSError do not always survive pickling; these do.
        raise OSError(error.errno, error.strerror) from None


def _ignore(piece: memoryview) -> None:
    del piece


def _install(bundle: VerifiedBundle, paths: InstallPaths, task: Task, distribution: str) -> Outcome:
    with disk.spool(task.member.size, paths.staging.parent) as file:
        bundle.read(task.member, file.write)
        wheel = VerifiedWheel(file, task.member.name.rpartition("/")[2])
        disk.require_room(paths.staging, wheel.unpacked_size)
        destination = StagingDestination(
            paths.staging,
            {**paths.schemes, "headers": f"{paths.headers}/{distribution}"},
            paths.interpreter,
            get_launcher_kind(),
            wheel.hashes,
            flushed=paths.flushed,
        )
        metadata = {"INSTALLER": b"wheelferry\n"}
        if task.requested:
            metadata["REQUESTED"] = b""
        install_wheel(wheel, destination, metadata, paths.python)
    return Outcome(
        task=task,
        written=destination.written,
        contested=destination.contested,
        record=destination.record,
    )
