"""Fixtures for the installer's tests."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from support.making.bundles import make_bundle
from support.making.wheels import make_wheel
from support.running.command import Ran
from support.running.properties import steady
from support.running.ssh import fixed_key
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_installer import cli
from wheelferry_installer.install import worker_process
from wheelferry_installer.system import disk, signals

steady()
DOCUMENTS = {"pylock.toml": b"lock-version = '1.0'\n", "requirements.txt": b"pure==1.0\n"}


@pytest.fixture(scope="session")
def alice() -> SigningKey:
    return fixed_key("alice")


@pytest.fixture(scope="session")
def small_bundle(alice: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle that alice signed. Its frames: manifest, signature, 2 documents, 2 wheels, end."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.tar.zst"
    wheels = [make_wheel("other"), make_wheel("pure")]
    return make_bundle(path, wheels, keys=[alice], documents=DOCUMENTS).read_bytes()


@pytest.fixture(autouse=True)
def _forked_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have installations fork their workers: the thread of pytest-xdist only waits for messages.

    To start an interpreter for each of them would take minutes in all.
    """
    monkeypatch.setattr(worker_process, "has_one_thread", lambda: True)


class _Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the command line in this process; `stdin` is what its user types."""

    def run(*arguments: object, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["bundle", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", _Typed(stdin) if stdin else io.StringIO())
        with pytest.raises(SystemExit) as caught, signals.kept():
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Ran(code=caught.value.code, out=out, err=err)

    return run


@pytest.fixture(params=["exchange", "two renames"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: with and without a kernel that can exchange two folders."""
    if request.param == "two renames":
        monkeypatch.setattr(disk, "exchange", lambda *_: False)
