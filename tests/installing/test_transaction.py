import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from support.command import tree
from support.crashes import run_killed
from wheelferry_installer import disk
from wheelferry_installer.transaction import (
    ManagedEnvironment,
    control_folder,
    locked,
    read_receipt,
)
from wheelferry_schemas import receipt
from wheelferry_schemas.errors import ConflictError
from wheelferry_schemas.receipt import Receipt

Tree = dict[str, tuple[str, int, bytes]]


@pytest.fixture(params=["exchange", "two renames"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: with and without a kernel that can exchange two folders."""
    if request.param == "two renames":
        monkeypatch.setattr(disk, "exchange", lambda _one, _other: False)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return tmp_path / "project" / "env"


def _fill(folder: Path, generation: str) -> Tree:
    """Make an environment; returns what is in it."""
    written = Receipt(
        format=1,
        generation=generation,
        tool="wheelferry tests",
        installed="2026-11-22T07:45:00Z",
        bundle="bundle.tar.zst",
        bundle_created="2026-11-21T07:45:00Z",
        manifest_sha256="0" * 64,
        target="here",
        interpreter="/usr/bin/python3",
        python="3.12.4",
        compiled=False,
        signers=(),
        packages=(),
        files=(),
    )
    for part in ("lib", receipt.FOLDER):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "lib" / f"{generation}.py").write_text(generation)
    (folder / "shared.py").write_text(generation)
    (folder / "python").symlink_to("/usr/bin/python3")
    (folder / receipt.FOLDER / receipt.FILE_NAME).write_bytes(receipt.serialize(written))
    return tree(folder)


def _install(environment: Path, generation: str, *, sync: bool = False) -> None:
    with locked(environment) as managed:
        _fill(managed.staging, generation)
        managed.commit(generation, sync=sync)


def _fail_to_install(environment: Path, generation: str, error: type[BaseException]) -> None:
    with locked(environment) as managed:
        _fill(managed.staging, generation)
        raise error


def _roll_back(environment: Path) -> None:
    with locked(environment) as managed:
        managed.rollback(sync=False)


def _generation(folder: Path) -> str | None:
    present = read_receipt(folder)
    return present.generation if present else None


def _beside(environment: Path) -> set[str]:
    """Return what lies beside the environment: the control folder and what is in it."""
    control = control_folder(environment)
    return {path.name for path in control.iterdir()} if control.exists() else set()


KEPT = {"lock", ".gitignore", "previous"}


# Installing.


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("sync", [True, False])
def test_first_environment_leaves_nothing_beside_it(environment: Path, sync: bool) -> None:
    _install(environment, "one", sync=sync)
    assert _generation(environment) == "one"
    assert os.listdir(environment.parent) == ["env"]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("sync", [True, False])
def test_second_replaces_the_first_and_keeps_it(environment: Path, sync: bool) -> None:
    _install(environment, "one")
    first = tree(environment)
    _install(environment, "two", sync=sync)
    assert _generation(environment) == "two"
    assert not (environment / "lib" / "one.py").exists()
    assert tree(ManagedEnvironment(environment).previous) == first
    assert _beside(environment) == KEPT


@pytest.mark.usefixtures("both_ways")
def test_third_drops_the_first(environment: Path) -> None:
    for generation in ("one", "two", "three"):
        _install(environment, generation)
    assert _generation(environment) == "three"
    assert _generation(ManagedEnvironment(environment).previous) == "two"
    assert _beside(environment) == KEPT


@pytest.mark.usefixtures("both_ways")
def test_more_are_kept_where_asked_to(environment: Path) -> None:
    for generation in ("one", "two", "three", "four"):
        with locked(environment) as managed:
            _fill(managed.staging, generation)
            managed.commit(generation, sync=False, keep=2)
    kept = [one.receipt.generation for one in ManagedEnvironment(environment).kept]
    assert kept == ["three", "two"]


@pytest.mark.usefixtures("both_ways")
def test_empty_folder_is_replaced_and_not_kept(environment: Path) -> None:
    environment.mkdir(parents=True)
    _install(environment, "one")
    assert _generation(environment) == "one"
    assert os.listdir(environment.parent) == ["env"]


@pytest.mark.usefixtures("both_ways")
def test_at_no_time_is_the_environment_anything_but_old_or_new(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(environment, "one")
    seen = []

    def watched(name: str) -> Callable[..., object]:
        original: Callable[..., object] = getattr(disk, name)

        def call(*arguments: object, **options: object) -> object:
            seen.append(_generation(environment))
            return original(*arguments, **options)

        return call

    for name in ("sync_file_system", "sync_folder", "exchange", "remove"):
        monkeypatch.setattr(disk, name, watched(name))
    _install(environment, "two", sync=True)
    assert {"one", "two"} <= set(seen) <= {"one", "two"}


def test_control_folder_is_ignored_by_git(environment: Path) -> None:
    with locked(environment) as managed:
        assert (managed.control / ".gitignore").read_text() == "*\n"


# Not installing, after all.


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, MemoryError])
def test_exception_leaves_the_environment_as_it_was(
    environment: Path, error: type[BaseException]
) -> None:
    _install(environment, "one")
    before = tree(environment)
    with pytest.raises(error):
        _fail_to_install(environment, "two", error)
    assert tree(environment) == before
    assert os.listdir(environment.parent) == ["env"]


def test_exception_leaves_the_former_environment_too(environment: Path) -> None:
    _install(environment, "one")
    _install(environment, "two")
    before = tree(environment.parent)
    with pytest.raises(RuntimeError):
        _fail_to_install(environment, "three", RuntimeError)
    assert tree(environment.parent) == before


def test_exception_of_a_first_installation_leaves_nothing(environment: Path) -> None:
    with pytest.raises(RuntimeError):
        _fail_to_install(environment, "one", RuntimeError)
    assert os.listdir(environment.parent) == []


def _break(monkeypatch: pytest.MonkeyPatch, environment: Path, what: str) -> None:
    """Let the exchange fail, or the first or the second of the two renames in its place."""
    rename, calls = os.rename, itertools.count(1)

    def fail(*_: Path) -> NoReturn:
        raise OSError(5, "Input/output error")

    def fail_once(source: Path, target: Path) -> None:
        if environment in (source, target) and next(calls) == int(what[-1]):
            fail()
        rename(source, target)

    if what == "exchange":
        monkeypatch.setattr(disk, "exchange", fail)
    else:
        monkeypatch.setattr(disk, "exchange", lambda _one, _other: False)
        monkeypatch.setattr(os, "rename", fail_once)


@pytest.mark.parametrize("action", ["commit", "rollback"])
@pytest.mark.parametrize("what", ["exchange", "rename 1", "rename 2"])
def test_swap_that_fails_leaves_the_environment_as_it_was(
    environment: Path, monkeypatch: pytest.MonkeyPatch, action: str, what: str
) -> None:
    _install(environment, "one")
    _install(environment, "two")
    before = tree(environment)
    _break(monkeypatch, environment, what)
    with pytest.raises(OSError, match="Input/output error"):
        _install(environment, "three") if action == "commit" else _roll_back(environment)
    assert tree(environment) == before
    assert _generation(ManagedEnvironment(environment).previous) == "one"
    assert _beside(environment) == KEPT


# Going back.


@pytest.mark.usefixtures("both_ways")
def test_rollback_swaps_the_environment_with_the_former_one(environment: Path) -> None:
    _install(environment, "one")
    first = tree(environment)
    _install(environment, "two")
    second = tree(environment)
    for present, previous in ((first, second), (second, first)):
        _roll_back(environment)
        assert tree(environment) == present
        assert tree(ManagedEnvironment(environment).previous) == previous
        assert _beside(environment) == KEPT


def test_rollback_without_a_former_environment_changes_nothing(environment: Path) -> None:
    _install(environment, "one")
    before = tree(environment.parent)
    with pytest.raises(ConflictError, match="from before the last change"):
        _roll_back(environment)
    assert tree(environment.parent) == before


# Killed: afterwards one more run, and everything is old or everything is new.


def _states(parent: Path) -> Iterator[tuple[int, Path]]:
    """Yield 1, 2, 3 …, each with a fresh place for an environment."""
    for at in itertools.count(1):
        yield at, parent / str(at) / "env"


def _recover(environment: Path) -> None:
    with locked(environment):
        pass


@pytest.mark.usefixtures("both_ways")
def test_killed_at_any_change_of_an_update(tmp_path: Path) -> None:
    outcomes = []
    for at, environment in _states(tmp_path):
        _install(environment, "zero")
        _install(environment, "one")
        old, older = tree(environment), tree(ManagedEnvironment(environment).previous)
        killed = run_killed(lambda: _install(environment, "two"), at)  # noqa: B023
        _recover(environment)
        previous = tree(ManagedEnvironment(environment).previous)
        outcomes.append(_generation(environment))
        if outcomes[-1] == "one":
            assert (tree(environment), previous) == (old, older)
        else:
            assert (tree(environment), previous) == (_fill(tmp_path / f"new{at}", "two"), old)
        assert _beside(environment) == KEPT
        if not killed:
            break
    assert outcomes[0] == "one"
    assert outcomes[-1] == "two"
    assert "one" not in outcomes[outcomes.index("two") :]


@pytest.mark.usefixtures("both_ways")
def test_killed_at_any_change_of_a_first_installation(tmp_path: Path) -> None:
    outcomes = []
    for at, environment in _states(tmp_path):
        killed = run_killed(lambda: _install(environment, "one"), at)  # noqa: B023
        _recover(environment)
        outcomes.append(_generation(environment))
        assert os.listdir(environment.parent) == (["env"] if outcomes[-1] else [])
        if not killed:
            break
    assert outcomes[0] is None
    assert outcomes[-1] == "one"


@pytest.mark.usefixtures("both_ways")
def test_killed_at_any_change_of_a_rollback(tmp_path: Path) -> None:
    outcomes = []
    for at, environment in _states(tmp_path):
        _install(environment, "one")
        first = tree(environment)
        _install(environment, "two")
        second = tree(environment)
        killed = run_killed(lambda: _roll_back(environment), at)  # noqa: B023
        _recover(environment)
        outcomes.append(_generation(environment))
        found = tree(environment), tree(ManagedEnvironment(environment).previous)
        assert found == ((second, first) if outcomes[-1] == "two" else (first, second))
        assert _beside(environment) == KEPT
        if not killed:
            break
    assert outcomes[0] == "two"
    assert outcomes[-1] == "one"


@pytest.mark.usefixtures("both_ways")
def test_killed_again_at_any_change_of_the_recovery(tmp_path: Path) -> None:
    seen: set[tuple[str | None, frozenset[str]]] = set()
    for at, place in _states(tmp_path):
        _install(place, "one")
        killed = run_killed(lambda: _install(place, "two"), at)  # noqa: B023
        left = _generation(place), frozenset(_beside(place))
        if killed and left not in seen:
            _kill_recoveries(tmp_path, at)
        seen.add(left)
        if not killed:
            break
    assert len(seen) > 5


def _kill_recoveries(parent: Path, first: int) -> None:
    """Kill an update before its change number `first`, and the recovery before each of its own."""
    for at, environment in _states(parent / f"after {first}"):
        _install(environment, "one")
        old = tree(environment)
        run_killed(lambda: _install(environment, "two"), first)  # noqa: B023
        killed = run_killed(lambda: _recover(environment), at)  # noqa: B023
        _recover(environment)
        if _generation(environment) == "one":
            assert tree(environment) == old
            assert os.listdir(environment.parent) == ["env"]
        else:
            assert _generation(environment) == "two"
            assert tree(ManagedEnvironment(environment).previous) == old
            assert _beside(environment) == KEPT
        if not killed:
            break


def test_journal_that_a_loss_of_power_cut_short_means_nothing_was_swapped(
    environment: Path,
) -> None:
    _install(environment, "one")
    before = tree(environment)
    for journal in (b"", b"{", b'{"generation": 1}', b"[]", b"\xff"):
        managed = ManagedEnvironment(environment)
        managed.control.mkdir()
        _fill(managed.staging, "two")
        (managed.control / "journal.json").write_bytes(journal)
        _recover(environment)
        assert tree(environment) == before
        assert os.listdir(environment.parent) == ["env"]


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_leftovers_of_any_kind_go(environment: Path, tmp_path: Path, kind: str) -> None:
    _install(environment, "one")
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("mine")
    staging = ManagedEnvironment(environment).staging
    staging.parent.mkdir()
    if kind == "file":
        staging.write_text("")
    elif kind == "link":
        staging.symlink_to(precious)
    else:
        _fill(staging, "two")
    _recover(environment)
    assert os.listdir(environment.parent) == ["env"]
    assert (precious / "data").read_text() == "mine"


# Locks.

HOLD = """
import sys
from pathlib import Path
from wheelferry_installer.transaction import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(environment: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLD, str(environment)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_refuses_while_another_process_works_there(
    environment: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(ConflictError) as caught, locked(environment):
        pass
    assert caught.value.message == f"another run works on {environment}"
    assert caught.value.exit_code == 8
    assert holder.poll() is None


def test_does_not_touch_what_the_other_process_does(
    environment: Path, holder: subprocess.Popen[str]
) -> None:
    _fill(ManagedEnvironment(environment).staging, "theirs")
    before = tree(environment.parent)
    with pytest.raises(ConflictError), locked(environment):
        pass
    assert tree(environment.parent) == before
    assert holder.poll() is None


def test_waits_where_told_to(environment: Path, holder: subprocess.Popen[str]) -> None:
    told = []

    def let_go() -> None:
        told.append(True)
        assert holder.stdin is not None
        holder.stdin.close()

    with locked(environment, let_go):
        assert told == [True]
    assert holder.wait() == 0


def test_lock_ends_with_the_process_that_holds_it(
    environment: Path, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    _install(environment, "one")
    assert os.listdir(environment.parent) == ["env"]


def test_lock_of_one_environment_is_not_that_of_another(
    environment: Path, holder: subprocess.Popen[str]
) -> None:
    _install(environment.with_name("other"), "one")
    assert holder.poll() is None


def test_folders_above_are_made(tmp_path: Path) -> None:
    _install(tmp_path / "a" / "b" / "env", "one")
    assert _generation(tmp_path / "a" / "b" / "env") == "one"
