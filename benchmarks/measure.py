"""Runs commands and measures them: time, CPU time, peak memory of the process tree (Linux)."""

from __future__ import annotations

import contextlib
import itertools
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_EVERY = 0.005
"""Seconds between two looks at the memory; a peak that is shorter may be missed."""
_PIECE = 2**24
_LITTLE = 2**29
"""The kernel keeps about so many bytes of memory free for itself."""


Commands = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of doing a job: commands that run one after the other, as one measurement.

    `commands` is given an empty folder to write to, another one for each run.
    """

    name: str
    commands: Callable[[Path], Commands]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of one run: on the clock, and of CPU in user and system mode of all processes."""

    elapsed: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Timings:
    """All runs of a contestant."""

    runs: tuple[Timing, ...]

    @property
    def elapsed(self) -> float:
        """The median time."""
        return statistics.median(run.elapsed for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median CPU time."""
        return statistics.median(run.cpu for run in self.runs)


class Arena:
    """Where contestants run: a folder, and the environment variables that they get."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._numbers = itertools.count(1)
        self._pieces = itertools.count()

    def interleaved(self, contestants: Sequence[Contestant], rounds: int) -> dict[str, Timings]:
        """Time all contestants in turn, round by round; each round begins with another one."""
        runs: dict[str, list[Timing]] = {contestant.name: [] for contestant in contestants}
        for number in range(rounds):
            first = number % len(contestants)
            for contestant in (*contestants[first:], *contestants[:first]):
                runs[contestant.name].append(self.timed(contestant))
        return {name: Timings(tuple(timings)) for name, timings in runs.items()}

    def timed(self, contestant: Contestant) -> Timing:
        """Run a contestant once and take the time."""
        cpu = 0.0
        with self._fresh_folder() as folder:
            # What an earlier run left to be written must not slow this one down.
            os.sync()
            self._fill_page_cache()
            begin = time.perf_counter()
            for command in contestant.commands(folder):
                with self._started(command) as process:
                    _, status, usage = os.wait4(process.pid, 0)
                    process.returncode = os.waitstatus_to_exitcode(status)
                cpu += usage.ru_utime + usage.ru_stime
            elapsed = time.perf_counter() - begin
        return Timing(elapsed=elapsed, cpu=cpu)

    def peak_memory(self, contestant: Contestant) -> int:
        """Run a contestant once and return the largest memory that it had, in bytes.

        That is the PSS (memory, with what processes share divided among them) summed over the
        process and all its descendants, from samples.
        """
        peak = 0
        with self._fresh_folder() as folder:
            for command in contestant.commands(folder):
                with self._started(command) as process:
                    while process.poll() is None:
                        peak = max(peak, sum(map(_pss, _tree(process.pid))))
                        time.sleep(_SAMPLE_EVERY)
        return peak

    @contextlib.contextmanager
    def _fresh_folder(self) -> Iterator[Path]:
        """Provide an empty folder; afterwards its files have no content, but are still there.

        ext4 does not take the inode of a file again until minutes after it was deleted, and who
        creates files in the meantime pays for the search. So nothing is deleted between runs.
        """
        folder = self._folder / str(next(self._numbers))
        folder.mkdir(parents=True)
        yield folder
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                os.truncate(path, 0)

    def _fill_page_cache(self) -> None:
        """Leave next to no memory free, as on a host that has been at work for a while.

        Memory that is free may have been given back to whoever runs a virtual machine. Then its
        next use takes several times as long, and who comes first pays; what the page cache holds
        is reused at once.
        """
        descriptor = os.open(self._folder / "hole", os.O_RDWR | os.O_CREAT)
        try:
            size = _meminfo("MemTotal")
            os.truncate(descriptor, size)
            # Reading ahead would take large pages, which are given back when they go.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
            for _ in range(size // _PIECE):
                if _meminfo("MemFree") < _LITTLE:
                    break
                # On from where it ended the last time: what came before is there still.
                os.pread(descriptor, _PIECE, next(self._pieces) * _PIECE % size)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _started(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command; whoever uses it waits for its end. Exits where it fails."""
        with subprocess.Popen(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as process:
            yield process
        if process.returncode != 0:
            raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}")


def _tree(root: int) -> Iterator[int]:
    """Yield a process and its descendants; those that end in between are left out."""
    yield root
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{root}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _tree(int(child))


def _pss(process: int) -> int:
    try:
        return _stated(Path(f"/proc/{process}/smaps_rollup"), "Pss")
    except OSError:
        return 0


def _meminfo(what: str) -> int:
    return _stated(Path("/proc/meminfo"), what)


def _stated(path: Path, what: str) -> int:
    """Return a number of bytes that the kernel states in kB, 0 where it states none."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return next((int(words[1]) * 1024 for words in lines if words[0] == f"{what}:"), 0)
