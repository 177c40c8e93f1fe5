"""Runs a program on a terminal of its own, and returns what a person would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path


def on_terminal(
    command: Sequence[str | Path],
    *,
    columns: int,
    cwd: Path,
    env: dict[str, str] | None = None,
    answers: Sequence[tuple[str, str]] = (),
) -> tuple[int, str]:
    """Run a program whose output and errors go to a terminal; returns its exit code and both.

    `answers` are pairs of what a question ends with, and what is then typed.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", **(env or {})},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        said, answered, waiting = b"", 0, list(answers)
        while part := _read(master):
            said += part
            if waiting and waiting[0][0].encode() in said[answered:]:
                answered = len(said)
                os.write(master, waiting.pop(0)[1].encode())
    os.close(master)
    assert not waiting, said.decode()
    return process.returncode, said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 2**16)
    except OSError:  # EIO: nobody has the other end open any more.
        return b""
