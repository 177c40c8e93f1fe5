"""Handles INT and TERM: both end a command with an exception, which undoes what was begun.

Short critical steps ignore them, but only in a command's own process: other programs decide about
their signals.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


class _Shields(threading.local):
    """Whether `ignore` ignores anything, by thread."""

    up = False


_shields = _Shields()


class Terminated(KeyboardInterrupt):
    """The process was asked to end by TERM."""


def raise_on_term() -> None:
    """Make TERM raise `Terminated`, unless this process was started with TERM ignored.

    From here on `ignore` takes effect: the process belongs to a command.
    """
    _shields.up = True
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _raise)


@contextlib.contextmanager
def shielded(*, wanted: bool) -> Iterator[None]:
    """Let `ignore` take effect in this block if `wanted`."""
    with kept():
        if wanted:
            _shields.up = True
        yield


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Restore at the end how signals are handled now, whatever `ignore` did."""
    before, handlers = _shields.up, {number: signal.getsignal(number) for number in _ENDING}
    try:
        yield
    finally:
        if _in_main_thread() and _shields.up:
            for number, handler in handlers.items():
                signal.signal(number, handler or signal.SIG_DFL)
        _shields.up = before


def ignore() -> None:
    """Ignore INT and TERM from here on, if that was asked for."""
    if _in_main_thread() and _shields.up:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)


def _in_main_thread() -> bool:
    # Only the main thread is interrupted, and only there may handlers be set.
    return threading.current_thread() is threading.main_thread()


def _raise(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Terminated
