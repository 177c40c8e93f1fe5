"""`bundle prune`, and what `--keep` and `status` say of former environments."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import SITE_PACKAGES
from support.running.other_installers import Install, bundle_installer, make_environment
from wheelferry_installer.system import disk


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    run = bundle_installer(tmp_path, main)

    def install_version(version: str, *options: object) -> Ran:
        wheels = [make_wheel("ours", version, files={"ours.py": b"#" * 100_000})]
        return run(wheels, "--venv", tmp_path / "far" / "env", *options)

    return install_version


@pytest.fixture
def environment(tmp_path: Path, install: Install) -> Path:
    """An environment with three former ones."""
    for version in ("1.0", "2.0", "3.0", "4.0"):
        install(version, "--keep", "3")
    return tmp_path / "far" / "env"


def generations(environment: Path, main: Callable[..., Ran]) -> list[str]:
    listed = main("status", "--venv", environment, "--json").data["generations"]
    return [generation["generation"] for generation in listed]


def test_the_oldest_go_and_the_room_they_took_is_told(
    environment: Path, main: Callable[..., Ran]
) -> None:
    now, before, older, oldest = generations(environment, main)
    taken = disk.size_on_disk(*(environment.parent / "env.wheelferry").glob("previous.*"))
    ran = main("prune", "--venv", environment, "--json")
    assert ran.data == {
        "environment": os.fspath(environment),
        "pruned": [older, oldest],
        "kept": 1,
        "freed": taken,
    }
    assert generations(environment, main) == [now, before]
    assert main("status", "--venv", environment).code == 0


def test_it_is_said_in_words(environment: Path, main: Callable[..., Ran]) -> None:
    _, before, older, oldest = generations(environment, main)
    ran = main("prune", "--venv", environment, "--keep", "0")
    lines = ran.out.splitlines()
    for generation, line in zip((before, older, oldest), lines, strict=False):
        assert line.startswith(f"removed {generation[:8]} from bundle.tar.zst, made ")
    assert lines[3].startswith("removed 3 former environments, ")


def test_dry_run_changes_nothing(environment: Path, main: Callable[..., Ran]) -> None:
    before = tree(environment.parent)
    ran = main("prune", "--venv", environment, "--keep", "0", "--dry-run")
    assert "would remove 3 former environments, " in ran.out
    assert tree(environment.parent) == before


def test_nothing_to_remove(environment: Path, main: Callable[..., Ran]) -> None:
    before = tree(environment.parent)
    ran = main("prune", "--venv", environment, "--keep", "3")
    assert (ran.code, ran.out) == (
        0,
        f"nothing to remove: {environment} has 3 former environments\n",
    )
    assert tree(environment.parent) == before


def test_nothing_is_left_beside_the_environment(
    environment: Path, main: Callable[..., Ran]
) -> None:
    main("prune", "--venv", environment, "--keep", "0")
    assert list(environment.parent.iterdir()) == [environment]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_somebodys_files_are_not_lost(
    environment: Path, main: Callable[..., Ran], options: tuple[str, ...]
) -> None:
    former = environment.parent / "env.wheelferry" / "previous.2"
    (former / SITE_PACKAGES / "ours.py").write_text("edited")
    before = tree(environment.parent)
    ran = main("prune", "--venv", environment, *options)
    assert ran.code == 8
    assert f"{former} has files that would be lost: 1 file edited" in ran.err
    assert tree(environment.parent) == before
    assert main("prune", "--venv", environment, "--force", *options).code == 0
    assert former.exists() == bool(options)


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_environment_of_others(
    tmp_path: Path, main: Callable[..., Ran], option: tuple[str, ...]
) -> None:
    environment = make_environment(tmp_path / "env")
    before = tree(tmp_path)
    assert main("prune", "--venv", environment, *option).code == 2
    assert tree(tmp_path) == before


def test_another_run_is_not_waited_for(environment: Path, main: Callable[..., Ran]) -> None:
    from wheelferry_installer.environment.generations import locked

    with locked(environment):
        assert main("prune", "--venv", environment, "--no-wait").code == 8


# Installing what is there already.


def test_install_of_the_same_with_keep_prunes(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    now, before, older, oldest = generations(environment, main)
    ran = install("4.0", "--keep", "1", "--json")
    assert (ran.data["changed"], ran.data["pruned"]) == (False, [older, oldest])
    assert generations(environment, main) == [now, before]
    assert "removed 1 former environment, " in install("4.0", "--keep", "0").out
    assert generations(environment, main) == [now]


def test_install_of_the_same_keeps_all_where_nothing_is_said(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    before = generations(environment, main)
    assert install("4.0").code == 0
    assert generations(environment, main) == before


def test_dry_run_of_the_same_says_what_goes(environment: Path, install: Install) -> None:
    before = tree(environment.parent)
    ran = install("4.0", "--keep", "0", "--dry-run")
    assert "would remove 3 former environments, " in ran.out
    assert tree(environment.parent) == before


def test_install_of_the_same_does_not_lose_somebodys_files(
    environment: Path, install: Install
) -> None:
    (environment.parent / "env.wheelferry" / "previous" / "notes.txt").write_text("mine")
    before = tree(environment.parent)
    assert install("4.0", "--keep", "0", "--force").code == 8
    assert tree(environment.parent) == before


# How much room environments take.


def test_file_that_is_linked_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").write_bytes(bytes(100_000))
    alone = disk.size_on_disk(tmp_path / "one")
    (tmp_path / "one" / "same").hardlink_to(tmp_path / "one" / "file")
    assert disk.size_on_disk(tmp_path / "one") == alone >= 100_000


def test_file_that_is_linked_from_elsewhere_gives_no_room_back(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    empty = disk.room_given_back(tmp_path / "one")
    (tmp_path / "one" / "file").write_bytes(bytes(100_000))
    assert disk.room_given_back(tmp_path / "one") >= empty + 100_000
    (tmp_path / "other").hardlink_to(tmp_path / "one" / "file")
    assert disk.room_given_back(tmp_path / "one") == empty
