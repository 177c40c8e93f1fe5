"""Installing from a program of many threads: no fork of it, and nothing of it runs again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from support.making.archives import NOW, policy_of
from support.making.bundles import make_bundle
from support.making.wheels import make_wheel
from support.running.ssh import fixed_key
from wheelferry_installer.install import worker_process
from wheelferry_installer.install.wheel_workers import InstallPaths, Outcome, Task
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import VerifiedBundle, verify
from wheelferry_schemas.errors import MalformedError, WheelferryError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")

PROGRAM = """
import os, sys, threading
from pathlib import Path

print("begins", flush=True)
os.register_at_fork(before=lambda: print("forks", flush=True))
threading.Thread(target=threading.Event().wait, daemon=True).start()

from support.running.installations import install

def work():
    done = install(Path(sys.argv[1]), Path(sys.argv[2]))
    print("changed", done.changed, flush=True)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


ALICE = fixed_key("alice")
EVIL = make_wheel("evil", files={"../evil.py": b""})


_has_one_thread = worker_process.has_one_thread


@pytest.fixture(autouse=True)
def _many_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(worker_process, "has_one_thread", _has_one_thread)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[VerifiedBundle]:
    wheels = [make_wheel("one"), make_wheel("two"), EVIL]
    path = make_bundle(tmp_path / "bundle.tar.zst", wheels, keys=[ALICE])
    verified = verify(open_bundle(path), policy_of(ALICE), NOW)
    path.unlink()
    yield verified
    verified.close()


@pytest.fixture
def paths(tmp_path: Path) -> InstallPaths:
    (tmp_path / "at" / "staging").mkdir(parents=True)
    return InstallPaths(
        staging=tmp_path / "at" / "staging",
        schemes={"purelib": "lib", "platlib": "lib", "scripts": "bin", "data": "."},
        headers="include",
        interpreter="/opt/python",
        python="3.12",
        flushed=False,
    )


def _tasks(bundle: VerifiedBundle) -> list[Task]:
    wheels = {f"wheels/{package.wheel}": package.name for package in bundle.manifest.packages}
    return [Task(member=one, distribution=wheels.get(one.name)) for one in bundle.members]


def test_program_of_many_threads_installs_and_is_not_forked(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("one")], keys=[ALICE])
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    run = subprocess.run(
        [sys.executable, program, path, tmp_path / "env"],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert run.stdout.splitlines() == ["begins", "changed True"], run.stderr
    assert (tmp_path / "env" / "pyvenv.cfg").exists()


def test_outcomes_are_those_of_the_workers(bundle: VerifiedBundle, paths: InstallPaths) -> None:
    told: list[Outcome] = []
    outcomes = worker_process.run(bundle, _tasks(bundle), paths, told.append)
    assert not worker_process.has_one_thread()
    assert outcomes == sorted(told, key=lambda outcome: outcome.task.member.name)
    problems = [type(one.problem) for one in outcomes if one.problem is not None]
    assert problems == [MalformedError]
    assert (paths.staging / "lib" / "one.py").is_file()
    assert (paths.staging / "lib" / "two.py").is_file()


def test_error_of_the_system_ends_it(bundle: VerifiedBundle, paths: InstallPaths) -> None:
    (paths.staging / "lib").symlink_to("/proc/nowhere")
    with pytest.raises(FileNotFoundError):
        worker_process.run(bundle, _tasks(bundle), paths, lambda _outcome: None)


def test_death_of_the_process_is_told(
    bundle: VerifiedBundle, paths: InstallPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_SERVE", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(WheelferryError, match="a worker process was killed"):
        worker_process.run(bundle, _tasks(bundle), paths, lambda _outcome: None)


def test_nothing_is_written_once_it_was_interrupted(
    bundle: VerifiedBundle, paths: InstallPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process that would never end by itself.
    serves = worker_process._SERVE.replace("serve()", "serve(); import time; time.sleep(600)")
    monkeypatch.setattr(worker_process, "_SERVE", serves)

    def interrupt(_outcome: Outcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker_process.run(bundle, _tasks(bundle), paths, interrupt)
    assert _others_that_read(bundle.path) == []


@pytest.mark.parametrize("passed", [True, False])
def test_lock_is_held_by_the_workers_too(
    bundle: VerifiedBundle,
    paths: InstallPaths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    passed: bool,
) -> None:
    with (tmp_path / "lock").open("wb") as lock:
        held = lock.fileno()
        looks = f"import os; os.fstat({held}); {worker_process._SERVE}"
        monkeypatch.setattr(worker_process, "_SERVE", looks)
        where = replace(paths, lock=(held,) if passed else ())
        with nullcontext() if passed else pytest.raises(WheelferryError):
            worker_process.run(bundle, _tasks(bundle), where, lambda _outcome: None)


def test_signal_handlers_stay_as_they_are(bundle: VerifiedBundle, paths: InstallPaths) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    seen: list[object] = []

    def look(_outcome: Outcome) -> None:
        seen[:] = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    worker_process.run(bundle, _tasks(bundle), paths, look)
    assert seen == before


def _others_that_read(path: Path) -> list[str]:
    """Return the descriptors of other processes under which a file is open."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if descriptor.readlink() == Path(f"{path} (deleted)"):
                found.append(str(descriptor))
    return [name for name in found if not name.startswith(f"/proc/{os.getpid()}/")]
