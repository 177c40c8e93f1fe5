"""Runs work in a thread of its own, and looks at the signal handlers of this process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")


def in_a_thread(work: Callable[[], _Value]) -> _Value:
    results: list[_Value] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    [result] = results
    return result


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in sorted(signal.valid_signals())]
