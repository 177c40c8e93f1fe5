"""Asks the tracer, a process of its own, to run commands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = Path(__file__).with_name("tracer.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens at the call of number `at`; see the tracer. With `on`, at all after it too."""

    at: int
    do: str
    on: bool = False


NO_FAULT = Fault(at=0, do="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A command that ran: its exit code, what it said, the calls that were counted.

    `hit` tells whether it came to the call at which something was to happen.
    """

    code: int
    out: str
    err: str
    calls: list[str]
    hit: bool


class Tracer:
    """A running tracer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, command: tuple[str, ...], folder: Path, fault: Fault, refuse: tuple[str, ...] = ()
    ) -> Traced:
        """Run a command in a folder."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {
            "command": command,
            "folder": str(folder),
            "at": fault.at,
            "do": fault.do,
            "on": fault.on,
            "refuse": refuse,
        }
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the tracer has ended"
        return Traced(**json.loads(answer))


@contextmanager
def running() -> Iterator[Tracer]:
    """Run a tracer for as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Tracer(process)
