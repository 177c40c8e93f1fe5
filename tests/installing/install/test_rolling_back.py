"""`bundle rollback`: what changes is said, and only the generation that is meant is left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.other_installers import Install, bundle_installer, make_environment, packages

Rollback = Callable[..., Ran]
FIRST = [make_wheel("stays"), make_wheel("gone"), make_wheel("ours", "1.0")]
SECOND = [make_wheel("stays"), make_wheel("new"), make_wheel("ours", "2.0")]
LINES = "+ gone 1.0\n- new 1.0\n~ ours 2.0 -> 1.0\n"


@pytest.fixture(params=["--venv", "--into", "--target"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """An option and what it names."""
    folder = tmp_path / "work" / "env"
    if request.param == "--into":
        make_environment(folder)
    return request.param, folder


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


@pytest.fixture
def updated(place: tuple[str, Path], install: Install) -> dict[str, Any]:
    """What the second installation of two said of itself."""
    assert install(FIRST, *place).code == 0
    # Into a place of others nothing goes that the bundle does not replace.
    more = () if place[0] == "--venv" else ("--exact",)
    done: dict[str, Any] = install(SECOND, *place, *more, "--json").data
    return done


@pytest.fixture
def rollback(place: tuple[str, Path], main: Callable[..., Ran]) -> Rollback:
    return lambda *options: main("rollback", *place, "--no-sync", *options)


@pytest.mark.usefixtures("updated")
def test_says_what_changes(rollback: Rollback, place: tuple[str, Path]) -> None:
    foreseen, done = rollback("--dry-run"), rollback()
    assert (foreseen.code, done.code) == (0, 0)
    assert LINES in foreseen.out
    assert LINES in done.out
    assert f"{place[1]} would be again the one from bundle.tar.zst, made" in foreseen.out
    assert f"{place[1]} is again the one from bundle.tar.zst, made" in done.out


@pytest.mark.usefixtures("updated")
@pytest.mark.parametrize("times", [0, 1])
def test_dry_run_changes_nothing(rollback: Rollback, place: tuple[str, Path], times: int) -> None:
    for _ in range(times):
        rollback()
    before = tree(place[1].parent)
    assert rollback("--dry-run").code == 0
    assert tree(place[1].parent) == before


def test_json_is_the_reverse_of_what_install_said(
    updated: dict[str, Any], rollback: Rollback
) -> None:
    foreseen, done = rollback("--dry-run", "--json").data, rollback("--json").data
    assert foreseen == done
    assert done["changed"] is True
    assert done["bundle"] == "bundle.tar.zst"
    assert done["before"] == updated["after"]
    assert done["after"] == updated["before"]
    assert [(c["name"], c["before"], c["after"]) for c in done["changes"]] == [
        (c["name"], c["after"], c["before"]) for c in updated["changes"]
    ]


def test_second_rollback_is_the_way_forward(updated: dict[str, Any], rollback: Rollback) -> None:
    first = rollback("--json").data
    foreseen, second = rollback("--dry-run", "--json").data, rollback("--json").data
    assert foreseen == second
    assert (second["before"], second["after"]) == (first["after"], first["before"])
    assert second["after"] == updated["after"]


def test_script_that_runs_twice_goes_back_once(
    updated: dict[str, Any], rollback: Rollback, place: tuple[str, Path]
) -> None:
    bad = updated["after"]["generation"]
    assert rollback("--if-generation", bad[:8], "--dry-run").code == 0
    assert rollback("--if-generation", bad).code == 0
    before = tree(place[1].parent)
    for more in ((), ("--dry-run",), ("--json",)):
        again = rollback("--if-generation", bad, *more)
        assert again.code == 8
        assert again.out == ""
        assert f"{place[1]} is no longer generation {bad}, but " in again.err
        assert updated["before"]["generation"] in again.err
    assert tree(place[1].parent) == before


@pytest.mark.usefixtures("updated")
@pytest.mark.parametrize("generation", ["", "1234567"])
def test_refuses_generation_that_is_too_short_to_mean_one(
    rollback: Rollback, place: tuple[str, Path], generation: str
) -> None:
    before = tree(place[1].parent)
    ran = rollback("--if-generation", generation)
    assert ran.code == 2
    assert "--if-generation takes at least 8 characters" in ran.err
    assert tree(place[1].parent) == before


def test_first_installation_into_a_place_of_others_is_undone(
    tmp_path: Path, install: Install, main: Callable[..., Ran]
) -> None:
    environment = make_environment(tmp_path / "env")
    install([make_wheel("ours"), make_wheel("theirs", "2.0")], "--into", environment)
    ran = main("rollback", "--into", environment, "--no-sync", "--json")
    assert ran.data["changes"] == [
        {"name": "ours", "before": "1.0", "after": None},
        {"name": "theirs", "before": "2.0", "after": "1.0"},
    ]
    assert ran.data["after"]["generation"] is None
    assert ran.data["bundle"] is None
    assert packages(environment) == ["theirs-1.0"]


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_refuses_where_nothing_is_kept(rollback: Rollback, more: tuple[str, ...]) -> None:
    ran = rollback(*more)
    assert ran.code in (2, 8)
    assert "hint: " in ran.err


def test_refuses_generation_where_nothing_is_installed(
    rollback: Rollback, tmp_path: Path, place: tuple[str, Path]
) -> None:
    if place[0] == "--venv":
        place[1].mkdir(parents=True)
    before = tree(tmp_path)
    ran = rollback("--if-generation", "0" * 32, "--dry-run")
    assert ran.code in (2, 8)
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("updated")
def test_unfinished_change_is_not_foretold(rollback: Rollback, place: tuple[str, Path]) -> None:
    option, folder = place
    control = folder.with_name("env.wheelferry") if option == "--venv" else folder / ".wheelferry"
    (control / "discarded").mkdir()
    ran = rollback("--dry-run")
    assert ran.code == 8
    assert "is unfinished" in ran.err
    assert (control / "discarded").exists()


def test_foreign_names_do_not_steer_the_terminal(
    tmp_path: Path, install: Install, main: Callable[..., Ran]
) -> None:
    environment = make_environment(tmp_path / "env")
    install([make_wheel("ours")], "--into", environment)
    receipts = next((environment / ".wheelferry").glob("*/receipt.json"))
    data = json.loads(receipts.read_text())
    install([make_wheel("ours", "2.0")], "--into", environment)
    assert data["generation"]
    ran = main("rollback", "--into", environment, "--dry-run", "--if-generation", "\x1b[31m" * 3)
    assert "\x1b" not in ran.err
