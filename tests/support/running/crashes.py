"""Processes that are killed in the middle of their work."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink"}


def run_killed(action: Callable[[], object], at: int) -> bool:
    """Run `action` in a child that is killed right before its change number `at` to the disk.

    Returns False where it came to its end before that.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _kill_before(at)
            action()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), f"the child ended with {code}"
    return code != 0


def _kill_before(at: int) -> None:
    done = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
        if writes or event in _CHANGES:
            done += 1
            if done == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
