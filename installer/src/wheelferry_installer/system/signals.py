"""INT and TERM: both end a run by an exception, so that whatever was begun is undone on the way out.

What must not be left half done, and is short, ignores them.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """The process was asked to end by TERM."""


def raise_on_term() -> None:
    """Make TERM raise `Terminated`, unless whoever started this process has it ignored."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _raise)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Bring back at the end how signals are handled now, whatever `ignore` did meanwhile."""
    handlers = {number: signal.getsignal(number) for number in _ENDING}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler or signal.SIG_DFL)


def ignore() -> None:
    """Ignore INT and TERM from here on."""
    # Only the main thread is ever interrupted, and only there may handlers be set.
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)


def _raise(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Terminated
