import errno
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from support.making.archives import NOW, join_plain, plain_frames, policy_of
from support.making.bundles import make_bundle
from support.making.wheels import TinyWheel, make_wheel
from support.running.ssh import fixed_key
from wheelferry_installer.install import wheel_workers
from wheelferry_installer.install.wheel_workers import InstallPaths, Outcome, Task
from wheelferry_installer.system import disk
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import VerifiedBundle, verify
from wheelferry_schemas.bundle.layout import Member
from wheelferry_schemas.errors import MalformedError, TamperedError, TransferError, WheelferryError

ALICE = fixed_key("alice")
BIG = make_wheel("big", files={"big.bin": os.urandom(20_000)})
SMALL = make_wheel("small")
EVIL = make_wheel("evil", files={"../evil.py": b""})

Make = Callable[..., VerifiedBundle]


@pytest.fixture
def paths(tmp_path: Path) -> InstallPaths:
    staging = tmp_path / "control" / "staging"
    staging.mkdir(parents=True)
    return InstallPaths(
        staging=staging,
        schemes={"purelib": "lib", "platlib": "lib", "scripts": "bin", "data": "."},
        headers="include",
        interpreter="/opt/env/bin/python",
        python="3.12",
        flushed=False,
    )


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes verified bundles; frames whose number is in `damaged` lose a byte of their content."""
    opened = []

    def make_one(wheels: Sequence[TinyWheel], damaged: Sequence[int] = ()) -> VerifiedBundle:
        path = make_bundle(tmp_path / "bundle.tar.zst", wheels, keys=[ALICE])
        plains = plain_frames(path.read_bytes())
        for number in damaged:
            plains[number] = plains[number][:515] + b"\0" + plains[number][516:]
        path.write_bytes(join_plain(plains))
        bundle = verify(open_bundle(path), policy_of(ALICE), NOW)
        opened.append(bundle)
        return bundle

    yield make_one
    for bundle in opened:
        bundle.close()


def _tasks(bundle: VerifiedBundle, requested: str | None = None) -> list[Task]:
    tasks = []
    for member in bundle.members:
        is_wheel = member.name.startswith("wheels/")
        name = member.name.removeprefix("wheels/").split("-")[0] if is_wheel else None
        tasks.append(Task(member=member, distribution=name, requested=name == requested))
    return tasks


def _run(
    bundle: VerifiedBundle,
    paths: InstallPaths,
    on_progress: Callable[[Outcome], None] = lambda _outcome: None,
) -> dict[str, Outcome]:
    outcomes = wheel_workers.run(bundle, _tasks(bundle), paths, on_progress)
    return {outcome.task.member.name: outcome for outcome in outcomes}


def test_installs_all_wheels_and_reads_everything_else(make: Make, paths: InstallPaths) -> None:
    outcomes = _run(make([BIG, SMALL]), paths)
    assert list(outcomes) == [
        "requirements.txt",
        "wheels/big-1.0-py3-none-any.whl",
        "wheels/small-1.0-py3-none-any.whl",
    ]
    assert all(outcome.problem is None for outcome in outcomes.values())
    assert outcomes["requirements.txt"].written == ()
    written = outcomes["wheels/small-1.0-py3-none-any.whl"].written
    assert {path.split("/")[-1] for path in written} == {
        "small.py",
        "METADATA",
        "WHEEL",
        "INSTALLER",
        "RECORD",
    }
    assert all((paths.staging / path).is_file() for path in written)


def test_tells_the_path_of_each_record(make: Make, paths: InstallPaths) -> None:
    outcomes = _run(make([SMALL]), paths)
    record = outcomes["wheels/small-1.0-py3-none-any.whl"].record
    assert record is not None
    assert record[0] == "lib/small-1.0.dist-info/RECORD"


def test_tells_what_is_done_while_it_goes_on(make: Make, paths: InstallPaths) -> None:
    told: list[str] = []
    _run(make([BIG, SMALL]), paths, lambda outcome: told.append(outcome.task.member.name))
    assert len(told) == 3


def test_marks_what_was_asked_for(make: Make, paths: InstallPaths) -> None:
    bundle = make([BIG, SMALL])
    wheel_workers.run(bundle, _tasks(bundle, "small"), paths, lambda _outcome: None)
    assert [path.parent.name for path in paths.staging.rglob("REQUESTED")] == [
        "small-1.0.dist-info"
    ]


@pytest.fixture(
    params=[
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        PermissionError(errno.EACCES, "Permission denied"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.ENOSYS, "Function not implemented"),
        ImportError("This platform lacks a functioning sem_open implementation"),
        NotImplementedError("system provides too few semaphores"),
    ],
    ids=lambda error: type(error).__name__,
)
def without_semaphores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose `/dev/shm` is absent, not writable or full, or that knows none."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise request.param

    monkeypatch.setattr("multiprocessing.synchronize.Lock.__init__", refuse)


@pytest.mark.usefixtures("without_semaphores")
def test_one_process_does_it_where_there_are_no_semaphores(make: Make, paths: InstallPaths) -> None:
    told: list[str] = []
    outcomes = _run(
        make([BIG, EVIL, SMALL]), paths, lambda outcome: told.append(outcome.task.member.name)
    )
    assert sorted(told) == list(outcomes)
    assert isinstance(outcomes["wheels/evil-1.0-py3-none-any.whl"].problem, MalformedError)
    assert (paths.staging / "lib/small.py").exists()


@pytest.mark.usefixtures("without_semaphores")
def test_error_of_the_system_ends_one_process_too(make: Make, paths: InstallPaths) -> None:
    (paths.staging / "lib").symlink_to("/proc/nowhere")
    with pytest.raises(FileNotFoundError):
        _run(make([SMALL, BIG]), paths)


def test_one_bad_wheel_does_not_stop_the_others(make: Make, paths: InstallPaths) -> None:
    outcomes = _run(make([BIG, EVIL, SMALL]), paths)
    problem = outcomes["wheels/evil-1.0-py3-none-any.whl"].problem
    assert isinstance(problem, MalformedError)
    assert problem.hint is not None
    assert (paths.staging / "lib/small.py").exists()
    assert not (paths.staging.parent / "evil.py").exists()


def test_damaged_members_are_told_of_each(make: Make, paths: InstallPaths) -> None:
    outcomes = _run(make([BIG, SMALL], damaged=[2, 3]), paths)
    bad = {name for name, outcome in outcomes.items() if outcome.problem is not None}
    assert bad == {"requirements.txt", "wheels/big-1.0-py3-none-any.whl"}
    assert {type(outcomes[name].problem) for name in bad} == {TamperedError}
    assert not (paths.staging / "lib/big.bin").exists()


def test_error_of_the_system_ends_it(make: Make, paths: InstallPaths) -> None:
    (paths.staging / "lib").symlink_to("/proc/nowhere")
    with pytest.raises(FileNotFoundError):
        _run(make([SMALL, BIG]), paths)


def test_shortage_ends_it(make: Make, paths: InstallPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "has_room", lambda _folder, _size: False)
    with pytest.raises(TransferError, match="not enough space") as caught:
        _run(make([SMALL, BIG]), paths)
    assert caught.value.hint is not None


def test_large_wheel_goes_through_a_file_that_nobody_else_sees(
    make: Make, paths: InstallPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(disk, "IN_MEMORY", 1000)
    outcomes = _run(
        make([BIG]), paths, lambda _outcome: seen.append(os.listdir(paths.staging.parent))
    )
    assert outcomes["wheels/big-1.0-py3-none-any.whl"].problem is None
    assert seen == [["staging"], ["staging"]]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_worker_ends_it(
    make: Make, paths: InstallPaths, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(wheel_workers, "VerifiedWheel", lambda *_: os.kill(os.getpid(), number))
    with pytest.raises(WheelferryError, match="a worker process was killed"):
        _run(make([SMALL]), paths)


def test_interruption_is_left_to_the_parent(
    make: Make, paths: InstallPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = VerifiedBundle.read

    def interrupted(
        bundle: VerifiedBundle, member: Member, write: Callable[[memoryview], object]
    ) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        read(bundle, member, write)

    monkeypatch.setattr(VerifiedBundle, "read", interrupted)
    outcomes = _run(make([SMALL]), paths)
    assert [outcome.problem for outcome in outcomes.values()] == [None, None]


def test_problem_with_progress_ends_it(make: Make, paths: InstallPaths) -> None:
    def fail(_outcome: Outcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(make([BIG, SMALL]), paths, fail)
