"""Runs the workers where a fork is safe: from this process, or from one with a single thread.

A fork copies one thread, but all locks that the other threads hold: the copy may wait for them
forever. So a process with other threads starts an interpreter that forks instead. Unlike a process
that `multiprocessing` spawns, it does not run the program's main module again.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from subprocess import PIPE

from wheelferry_installer.install import wheel_workers
from wheelferry_installer.install.wheel_workers import InstallPaths, Outcome, Task
from wheelferry_installer.verify.verification import VerifiedBundle

_SERVE = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import serve; serve()"


def run(
    bundle: VerifiedBundle,
    tasks: Sequence[Task],
    paths: InstallPaths,
    on_progress: Callable[[Outcome], None],
) -> list[Outcome]:
    """Do all tasks; arguments and result are those of `wheel_workers.run`."""
    if sys.platform != "linux" or has_one_thread():
        return wheel_workers.run(bundle, tasks, paths, on_progress)
    outcomes = []
    # However this ends, the workers end first: staging is cleaned up afterwards.
    with contextlib.closing(_outcomes(bundle, tasks, paths)) as done:
        for outcome in done:
            outcomes.append(outcome)
            on_progress(outcome)
    return sorted(outcomes, key=lambda outcome: outcome.task.member.name)


def has_one_thread() -> bool:
    """Return whether this process has a single thread, counting those of libraries."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return threading.active_count() == 1


def serve() -> None:
    """Do the tasks that the parent writes to standard input; write outcomes to standard output."""
    bundle, tasks, paths, parent = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own
    wheel_workers.end_with(parent)

    def send(message: Outcome | Exception | None) -> None:
        sys.stdout.buffer.write(pickle.dumps(message))
        sys.stdout.buffer.flush()

    try:
        wheel_workers.run(bundle, tasks, paths, send)
        send(None)
    except Exception as error:  # noqa: BLE001 - the parent raises it
        send(error)


def _outcomes(
    bundle: VerifiedBundle, tasks: Sequence[Task], paths: InstallPaths
) -> Generator[Outcome, None, None]:
    """Yield the outcomes of a new process; raise what it raises."""
    job = pickle.dumps((bundle, tasks, paths, os.getpid()))
    command = [sys.executable, "-I", "-c", _SERVE, *sys.path]
    # The workers read the file that was verified, and share the lock until the last one ends.
    shared = (bundle.descriptor, *paths.lock)
    try:
        with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, pass_fds=shared) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(job)
                process.stdin.close()
                while (message := pickle.load(process.stdout)) is not None:  # noqa: S301 - our own
                    if isinstance(message, Exception):
                        raise message
                    yield message
            finally:
                process.kill()
                # The stream ends with the last worker: after that nothing writes into staging.
                process.stdout.read()
    except (BrokenPipeError, EOFError, pickle.UnpicklingError) as error:
        raise wheel_workers.killed() from error
