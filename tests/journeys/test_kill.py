"""What an operator does to an installation that takes too long: Ctrl-C, kill, kill -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from support.making.bundles import make_bundle, make_key, trust
from support.making.wheels import make_wheel
from support.running.command import bundle, succeed, tree

pytestmark = pytest.mark.usefixtures("interruptible")
FILES = {f"many/part{number}.py": b"" for number in range(3000)}
PATIENCE = 60


@pytest.fixture
def folder(tmp_path: Path, config_folder: Path) -> Path:
    """A folder with an environment, and beside it a bundle that takes a while to install."""
    key = make_key()
    trust(config_folder / "allowed_signers", key)
    make_bundle(tmp_path / "old.tar.zst", [make_wheel("old")], keys=[key])
    make_bundle(tmp_path / "new.tar.zst", [make_wheel("many", files=FILES)], keys=[key])
    folder = tmp_path / "far"
    folder.mkdir()
    succeed("install", tmp_path / "old.tar.zst", "--no-sync", cwd=folder)
    return folder


@contextmanager
def installing(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start the installation of the new bundle, and wait until it writes its files."""
    command = [sys.executable, "-m", "wheelferry_installer", "install", "../new.tar.zst"]
    with subprocess.Popen(
        [*command, "--no-sync", *options],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            until = monotonic() + PATIENCE
            while not any(path.name == "many" for path in folder.rglob("staging/**/many")):
                assert process.poll() is None, "it was done too soon"
                assert monotonic() < until, "it never wrote a file"
                sleep(0.001)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_puts_everything_back(folder: Path, number: signal.Signals, code: int) -> None:
    before = tree(folder)
    with installing(folder) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "error: stopped; nothing was changed\n" in err
    assert tree(folder) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_may_reach_all_processes(folder: Path, number: signal.Signals, code: int) -> None:
    before = tree(folder)
    with installing(folder) as process:
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "Traceback" not in err
    assert tree(folder) == before


@pytest.mark.parametrize("options", [(), ("--target", "modules")])
def test_kill_leaves_nothing_that_the_next_command_does_not_tidy_up(
    folder: Path, options: tuple[str, ...]
) -> None:
    succeed("install", "../old.tar.zst", "--no-sync", *options, cwd=folder)
    before = tree(folder)
    with installing(folder, *options) as process:
        process.kill()
        process.communicate(timeout=PATIENCE)
    assert tree(folder) != before
    # The next command waits for workers that have not died yet.
    succeed("install", "../old.tar.zst", "--no-sync", *options, cwd=folder)
    assert tree(folder) == before


def test_installation_after_a_kill_is_complete(folder: Path) -> None:
    with installing(folder) as process:
        process.kill()
        process.communicate(timeout=PATIENCE)
    succeed("install", "../new.tar.zst", "--no-sync", cwd=folder)
    assert len(list((folder / ".venv").rglob("many/part*.py"))) == len(FILES)
    assert sorted(os.listdir(folder)) == [".venv", ".venv.wheelferry"]


def test_second_installation_waits_and_says_so(folder: Path) -> None:
    with installing(folder) as process:
        process.send_signal(signal.SIGSTOP)
        ran = bundle("install", "../old.tar.zst", "--reinstall", "--no-wait", cwd=folder)
        assert ran.code == 8
        with subprocess.Popen(
            [sys.executable, "-m", "wheelferry_installer", "install", "../old.tar.zst"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as second:
            assert second.stderr is not None
            assert second.stderr.readline().startswith("waiting for another run")
            process.send_signal(signal.SIGCONT)
            process.communicate(timeout=PATIENCE)
            second.communicate(timeout=PATIENCE)
    assert (process.returncode, second.returncode) == (0, 0)
