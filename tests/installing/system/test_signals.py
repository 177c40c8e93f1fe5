import os
import signal
import threading
from collections.abc import Iterator

import pytest

from wheelferry_installer.system import signals


@pytest.fixture(autouse=True)
def _handlers_are_brought_back() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with signals.kept():
        yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_term_raises() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signals.raise_on_term()
    with pytest.raises(signals.Terminated):
        os.kill(os.getpid(), signal.SIGTERM)


def test_term_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signals.raise_on_term()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_neither_interrupts_what_must_not_be_left_half_done(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with signals.shielded(wanted=True):
        signals.ignore()
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_signals_of_another_program_stay_as_they_are() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals.shielded(wanted=False):
        signals.ignore()
        assert signal.getsignal(signal.SIGINT) is before
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_shield_ends_with_its_block() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals.shielded(wanted=True):
        pass
    signals.ignore()
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_as_they_are() -> None:
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with signals.shielded(wanted=True):
            signals.ignore()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before
