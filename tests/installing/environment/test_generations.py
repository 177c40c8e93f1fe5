import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from support.running.command import tree
from support.running.generations import (
    KEPT,
    beside,
    fail_to_install,
    fill,
    generation_of,
    install_generation,
    recover,
    roll_back,
)
from wheelferry_installer.environment.generations import (
    ManagedEnvironment,
    locked,
)
from wheelferry_installer.system import disk
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_schemas.errors import ConflictError


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return tmp_path / "project" / "env"


# Installing.


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("sync", [True, False])
def test_first_environment_leaves_nothing_beside_it(environment: Path, sync: bool) -> None:
    install_generation(environment, "one", sync=sync)
    assert generation_of(environment) == "one"
    assert os.listdir(environment.parent) == ["env"]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("sync", [True, False])
def test_second_replaces_the_first_and_keeps_it(environment: Path, sync: bool) -> None:
    install_generation(environment, "one")
    first = tree(environment)
    install_generation(environment, "two", sync=sync)
    assert generation_of(environment) == "two"
    assert not (environment / "lib" / "one.py").exists()
    assert tree(ManagedEnvironment(environment).previous) == first
    assert beside(environment) == KEPT


@pytest.mark.usefixtures("both_ways")
def test_third_drops_the_first(environment: Path) -> None:
    for generation in ("one", "two", "three"):
        install_generation(environment, generation)
    assert generation_of(environment) == "three"
    assert generation_of(ManagedEnvironment(environment).previous) == "two"
    assert beside(environment) == KEPT


@pytest.mark.usefixtures("both_ways")
def test_more_are_kept_where_asked_to(environment: Path) -> None:
    for generation in ("one", "two", "three", "four"):
        with locked(environment) as managed:
            fill(managed.staging, generation)
            managed.commit(generation, sync=False, keep=2)
    kept = [one.receipt.generation for one in ManagedEnvironment(environment).kept]
    assert kept == ["three", "two"]


@pytest.mark.usefixtures("both_ways")
def test_empty_folder_is_replaced_and_not_kept(environment: Path) -> None:
    environment.mkdir(parents=True)
    install_generation(environment, "one")
    assert generation_of(environment) == "one"
    assert os.listdir(environment.parent) == ["env"]


@pytest.mark.usefixtures("both_ways")
def test_at_no_time_is_the_environment_anything_but_old_or_new(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_generation(environment, "one")
    seen = []

    def watched(owner: object, name: str) -> Callable[..., object]:
        original: Callable[..., object] = getattr(owner, name)

        def call(*arguments: object, **options: object) -> object:
            seen.append(generation_of(environment))
            return original(*arguments, **options)

        return call

    for name in ("sync_file_system", "exchange"):
        monkeypatch.setattr(disk, name, watched(disk, name))
    for name in ("sync", "remove"):
        monkeypatch.setattr(OpenFolder, name, watched(OpenFolder, name))
    install_generation(environment, "two", sync=True)
    assert {"one", "two"} <= set(seen) <= {"one", "two"}


def test_control_folder_is_ignored_by_git(environment: Path) -> None:
    with locked(environment) as managed:
        assert (managed.control / ".gitignore").read_text() == "*\n"


# Not installing, after all.


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, MemoryError])
def test_exception_leaves_the_environment_as_it_was(
    environment: Path, error: type[BaseException]
) -> None:
    install_generation(environment, "one")
    before = tree(environment)
    with pytest.raises(error):
        fail_to_install(environment, "two", error)
    assert tree(environment) == before
    assert os.listdir(environment.parent) == ["env"]


def test_exception_leaves_the_former_environment_too(environment: Path) -> None:
    install_generation(environment, "one")
    install_generation(environment, "two")
    before = tree(environment.parent)
    with pytest.raises(RuntimeError):
        fail_to_install(environment, "three", RuntimeError)
    assert tree(environment.parent) == before


def test_exception_of_a_first_installation_leaves_nothing(environment: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_to_install(environment, "one", RuntimeError)
    assert not environment.parent.exists()


def _break(monkeypatch: pytest.MonkeyPatch, environment: Path, what: str) -> None:
    """Let the exchange fail, or the first or the second of the two renames in its place."""
    rename, calls = os.replace, itertools.count(1)

    def fail(*_: object) -> NoReturn:
        raise OSError(5, "Input/output error")

    def fail_once(source: str, target: str, **options: int) -> None:
        if environment.name in (source, target) and next(calls) == int(what[-1]):
            fail()
        rename(source, target, **options)

    if what == "exchange":
        monkeypatch.setattr(disk, "exchange", fail)
    else:
        monkeypatch.setattr(disk, "exchange", lambda *_: False)
        monkeypatch.setattr(os, "replace", fail_once)


@pytest.mark.parametrize("action", ["commit", "rollback"])
@pytest.mark.parametrize("what", ["exchange", "rename 1", "rename 2"])
def test_swap_that_fails_leaves_the_environment_as_it_was(
    environment: Path, monkeypatch: pytest.MonkeyPatch, action: str, what: str
) -> None:
    install_generation(environment, "one")
    install_generation(environment, "two")
    before = tree(environment)
    _break(monkeypatch, environment, what)
    with pytest.raises(OSError, match="Input/output error"):
        install_generation(environment, "three") if action == "commit" else roll_back(environment)
    assert tree(environment) == before
    assert generation_of(ManagedEnvironment(environment).previous) == "one"
    assert beside(environment) == KEPT


# Going back.


@pytest.mark.usefixtures("both_ways")
def test_rollback_swaps_the_environment_with_the_former_one(environment: Path) -> None:
    install_generation(environment, "one")
    first = tree(environment)
    install_generation(environment, "two")
    second = tree(environment)
    for present, previous in ((first, second), (second, first)):
        roll_back(environment)
        assert tree(environment) == present
        assert tree(ManagedEnvironment(environment).previous) == previous
        assert beside(environment) == KEPT


def test_rollback_without_a_former_environment_changes_nothing(environment: Path) -> None:
    install_generation(environment, "one")
    before = tree(environment.parent)
    with pytest.raises(ConflictError, match="from before the last change"):
        roll_back(environment)
    assert tree(environment.parent) == before


# Left behind.


def test_journal_that_a_loss_of_power_cut_short_means_nothing_was_swapped(
    environment: Path,
) -> None:
    install_generation(environment, "one")
    before = tree(environment)
    strange = b'{"action": "install", "generation": "two", "keep": %b}'
    values = (b"1e999", b"-1", b"NaN", b"true", b"[" * 100_000)
    more = (strange % value for value in values)
    for journal in (b"", b"{", b'{"generation": 1}', b"[]", b"\xff", b"[" * 100_000, *more):
        managed = ManagedEnvironment(environment)
        managed.control.mkdir()
        fill(managed.staging, "two")
        (managed.control / "journal.json").write_bytes(journal)
        recover(environment)
        assert tree(environment) == before
        assert os.listdir(environment.parent) == ["env"]


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_leftovers_of_any_kind_go(environment: Path, tmp_path: Path, kind: str) -> None:
    install_generation(environment, "one")
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
        fill(staging, "two")
    recover(environment)
    assert os.listdir(environment.parent) == ["env"]
    assert (precious / "data").read_text() == "mine"


# Locks.

HOLD = """
import sys
from pathlib import Path
from wheelferry_installer.environment.generations import locked
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
    assert caught.value.message == f"another run is working on {environment}"
    assert caught.value.exit_code == 8
    assert holder.poll() is None


def test_does_not_touch_what_the_other_process_does(
    environment: Path, holder: subprocess.Popen[str]
) -> None:
    fill(ManagedEnvironment(environment).staging, "theirs")
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
    install_generation(environment, "one")
    assert os.listdir(environment.parent) == ["env"]


def test_lock_of_one_environment_is_not_that_of_another(
    environment: Path, holder: subprocess.Popen[str]
) -> None:
    install_generation(environment.with_name("other"), "one")
    assert holder.poll() is None


def test_folders_above_are_made(tmp_path: Path) -> None:
    install_generation(tmp_path / "a" / "b" / "env", "one")
    assert generation_of(tmp_path / "a" / "b" / "env") == "one"
