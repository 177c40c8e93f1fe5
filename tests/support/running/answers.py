"""Runs a program on a terminal, and types answers there as a person would."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path


def answering(
    command: Sequence[str | Path],
    answers: Sequence[tuple[str, str]],
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Run a program, type an answer where each question ends, and return its exit code and text.

    `answers` are pairs of what the program says last, and what is then typed.
    """
    master, slave = pty.openpty()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "TERM": "dumb", **(env or {})},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        said = ""
        seen = 0
        waiting = list(answers)
        while part := _read(master):
            said += part
            if waiting and waiting[0][0] in said[seen:]:
                seen = len(said)
                os.write(master, waiting.pop(0)[1].encode())
    os.close(master)
    assert not waiting, said
    return process.returncode, said


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 2**16).decode()
    except OSError:  # EIO: nobody has the other end open any more.
        return ""
