"""`bundle rollback` and `bundle status`, of environments and of other places."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import SITE_PACKAGES, run_python
from support.running.other_installers import (
    Install,
    bundle_installer,
    make_environment,
    packages,
)
from support.running.users import make_shared, needs_two_users, stranger_does


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "env")


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is installed once and copied for each test."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def managed(tmp_path: Path, made: Path, install: Install) -> Path:
    """An environment that was updated three times, with two former ones kept."""
    names = ("managed", "managed.wheelferry")
    if not (made / names[0]).exists():
        for version in ("1.0", "2.0", "3.0", "4.0"):
            install([make_wheel("ours", version)], "--venv", made / names[0], "--keep", "2")
    for name in names:
        shutil.copytree(made / name, tmp_path / name, symlinks=True)
    return tmp_path / names[0]


@pytest.fixture
def updated(environment: Path, install: Install) -> Path:
    """An environment of others, into which a package was installed, and updated."""
    for version in ("1.0", "2.0"):
        install([make_wheel("ours", version)], "--into", environment)
    return environment


def generations(managed: Path, main: Callable[..., Ran]) -> list[str]:
    """Return the ids of an environment and of the former ones."""
    listed = main("status", "--venv", managed, "--json").data["generations"]
    return [generation["generation"] for generation in listed]


# Environments of wheelferry's own.


def test_as_many_former_environments_are_kept_as_asked_for(
    managed: Path, main: Callable[..., Ran]
) -> None:
    assert len(generations(managed, main)) == 3


def test_fewer_are_kept_from_then_on(
    managed: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours", "5.0")], "--venv", managed)
    assert len(generations(managed, main)) == 2


def test_none_is_kept_where_none_is_wanted(
    managed: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours", "5.0")], "--venv", managed, "--keep", "0")
    assert main("rollback", "--venv", managed).code == 8


def test_rollback_goes_to_the_generation_that_is_named(
    managed: Path, main: Callable[..., Ran]
) -> None:
    now, before, oldest = generations(managed, main)
    assert main("rollback", "--venv", managed, "--to", oldest[:8]).code == 0
    assert packages(managed) == ["ours-2.0"]
    assert generations(managed, main) == [oldest, now, before]


def test_rollback_to_an_unknown_generation(managed: Path, main: Callable[..., Ran]) -> None:
    before = tree(managed)
    assert main("rollback", "--venv", managed, "--to", "unknown").code == 8
    assert tree(managed) == before


def test_rollback_to_a_name_of_several(managed: Path, main: Callable[..., Ran]) -> None:
    ran = main("rollback", "--venv", managed, "--to", "")
    assert ran.code == 8
    assert "more than one" in ran.err


def test_status_lists_what_can_be_gone_back_to(managed: Path, main: Callable[..., Ran]) -> None:
    shown = main("status", "--venv", managed).out
    for generation in generations(managed, main)[1:]:
        assert f"kept for 'bundle rollback': {generation[:8]} from bundle.tar.zst" in shown


def test_status_sees_that_the_interpreter_is_another_one(
    managed: Path, main: Callable[..., Ran]
) -> None:
    (managed / "bin/python3").unlink()
    (managed / "bin/python3").symlink_to("/bin/true")
    (managed / "bin/python").unlink()
    ran = main("status", "--venv", managed)
    assert ran.code == 4
    assert "changed: bin/python3\n" in ran.err
    assert "missing: bin/python\n" in ran.err


# Other places: the last change.


def test_rollback_undoes_the_last_change(updated: Path, main: Callable[..., Ran]) -> None:
    assert main("rollback", "--into", updated).code == 0
    assert packages(updated) == ["ours-1.0", "theirs-1.0"]
    assert main("status", "--into", updated).code == 0


def test_second_rollback_undoes_the_first(updated: Path, main: Callable[..., Ran]) -> None:
    before = tree(updated / SITE_PACKAGES)
    for _ in range(2):
        main("rollback", "--into", updated)
    assert tree(updated / SITE_PACKAGES) == before


def test_rollback_of_the_first_installation_leaves_what_was_there(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    before = tree(environment / SITE_PACKAGES)
    install([make_wheel("ours", files={"ours/__init__.py": b""})], "--into", environment)
    run_python(environment, "import ours")
    main("rollback", "--into", environment)
    assert tree(environment / SITE_PACKAGES) == before


@pytest.mark.parametrize("change", ["edit", "removal", "addition"])
def test_rollback_is_refused_where_others_have_been_at_it(
    environment: Path, install: Install, main: Callable[..., Ran], change: str
) -> None:
    install([make_wheel("ours", files={"ours.py": b"", "only1.py": b""})], "--into", environment)
    install([make_wheel("ours", "2.0", files={"ours.py": b""})], "--into", environment)
    path = environment / SITE_PACKAGES / ("only1.py" if change == "addition" else "ours.py")
    if change == "removal":
        path.unlink()
    else:
        path.write_text("others")
    before = tree(environment)
    ran = main("rollback", "--into", environment)
    assert ran.code == 8
    assert f"{SITE_PACKAGES}/{path.name}" in ran.err
    assert tree(environment) == before


def test_no_way_back_is_kept_where_none_is_wanted(
    updated: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours", "3.0")], "--into", updated, "--keep", "0")
    assert main("rollback", "--into", updated).code == 8


def test_installation_after_a_rollback_ends_the_way_forward(
    updated: Path, install: Install, main: Callable[..., Ran]
) -> None:
    main("rollback", "--into", updated)
    install([make_wheel("ours", "3.0")], "--into", updated)
    main("rollback", "--into", updated)
    assert packages(updated) == ["ours-1.0", "theirs-1.0"]


def test_generations_are_not_for_other_places(updated: Path, main: Callable[..., Ran]) -> None:
    assert main("rollback", "--into", updated, "--to", "x").code == 2


def test_status_of_other_places_does_not_count_what_is_of_others(
    updated: Path, main: Callable[..., Ran]
) -> None:
    status = main("status", "--into", updated, "--json").data
    assert status["intact"]
    assert status["added"] == []


def test_status_of_other_places_names_what_was_changed(
    updated: Path, main: Callable[..., Ran]
) -> None:
    (updated / SITE_PACKAGES / "ours.py").write_text("edited")
    ran = main("status", "--into", updated)
    assert ran.code == 4
    assert f"changed: {SITE_PACKAGES}/ours.py" in ran.err


def test_status_of_a_place_where_nothing_of_ours_is(
    environment: Path, main: Callable[..., Ran]
) -> None:
    before = tree(environment)
    assert main("status", "--into", environment).code == 2
    assert tree(environment) == before


# Commands that only look.


def crash(control: Path) -> None:
    """Leave what an installation leaves that was killed at its very beginning."""
    for folder in ("old", "new"):
        (control / "applying" / folder).mkdir(parents=True)
    planned: dict[str, object] = {"taken": [], "removed": [], "made": [], "put": [], "keep": True}
    (control / "applying/changes.json").write_text(json.dumps(planned))


def test_status_tells_of_an_unfinished_change_and_leaves_it(
    updated: Path, main: Callable[..., Ran]
) -> None:
    crash(updated / ".wheelferry")
    before = tree(updated)
    ran = main("status", "--into", updated)
    assert ran.code == 0
    assert "is unfinished: the next install, rollback or uninstall" in ran.out
    assert main("status", "--into", updated, "--json").data["unfinished"]
    assert tree(updated) == before


def test_status_of_a_half_changed_place_is_a_conflict(
    updated: Path, main: Callable[..., Ran]
) -> None:
    crash(updated / ".wheelferry")
    (updated / SITE_PACKAGES / "ours.py").unlink()
    ran = main("status", "--into", updated)
    assert ran.code == 8
    assert f"missing: {SITE_PACKAGES}/ours.py" in ran.err
    assert main("status", "--into", updated, "--json").code == 8


def test_status_of_a_place_without_an_unfinished_change_says_so(
    updated: Path, managed: Path, main: Callable[..., Ran]
) -> None:
    assert not main("status", "--into", updated, "--json").data["unfinished"]
    assert not main("status", "--venv", managed, "--json").data["unfinished"]


def test_status_between_the_two_renames_of_a_swap(managed: Path, main: Callable[..., Ran]) -> None:
    control = managed.with_name("managed.wheelferry")
    managed.rename(control / "outgoing")
    ran = main("status", "--venv", managed)
    assert ran.code == 8
    assert "is unfinished" in ran.err
    assert (control / "outgoing").exists()
    assert main("rollback", "--venv", managed, "--to", "unknown").code == 8
    assert packages(managed) == ["ours-4.0"]


def test_dry_run_tells_of_an_unfinished_change_and_leaves_it(
    updated: Path, install: Install
) -> None:
    crash(updated / ".wheelferry")
    before = tree(updated)
    ran = install([make_wheel("ours", "3.0")], "--into", updated, "--dry-run")
    assert ran.code == 0
    assert "is unfinished" in ran.err
    assert tree(updated) == before


def test_next_change_undoes_the_unfinished_one(updated: Path, install: Install) -> None:
    crash(updated / ".wheelferry")
    assert install([make_wheel("ours", "3.0")], "--into", updated).code == 0
    assert not (updated / ".wheelferry/applying").exists()


@needs_two_users
def test_status_does_not_look_into_the_folder_of_another_user(
    tmp_path: Path, install: Install, main: Callable[..., Ran]
) -> None:
    shared = make_shared(tmp_path / "shared")
    install([make_wheel("ours")], "--venv", shared / "env")
    stranger_does("mkdir env.wheelferry", cwd=shared)
    ran = main("status", "--venv", shared / "env")
    assert ran.code == 0
    assert "former environments are not listed" in ran.err
