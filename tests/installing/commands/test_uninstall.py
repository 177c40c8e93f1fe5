"""`bundle uninstall`: what wheelferry installed goes, and nothing else."""

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
    put_by_others,
)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "env")


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


# Elsewhere: the packages of the receipt.


def test_packages_of_ours_go(environment: Path, install: Install, main: Callable[..., Ran]) -> None:
    before = tree(environment)
    install([make_wheel("ours"), make_wheel("second")], "--into", environment)
    ran = main("uninstall", "--into", environment)
    assert (ran.code, ran.out) == (0, f"removed 2 packages from {environment}\n")
    assert tree(environment) == before


def test_packages_that_were_there_before_stay(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours"), make_wheel("theirs")], "--into", environment)
    main("uninstall", "--into", environment)
    assert packages(environment) == ["theirs-1.0"]


def test_packages_of_several_bundles_go(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    for name in ("first", "second"):
        install([make_wheel(name)], "--into", environment)
    main("uninstall", "--into", environment)
    assert packages(environment) == ["theirs-1.0"]


def test_package_that_others_have_replaced_stays(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours"), make_wheel("second")], "--into", environment)
    put_by_others(environment, "ours", {"ours.py": b""}, version="2.0")
    for path in (environment / SITE_PACKAGES / "ours-1.0.dist-info").iterdir():
        path.unlink()
    (environment / SITE_PACKAGES / "ours-1.0.dist-info").rmdir()
    ran = main("uninstall", "--into", environment)
    assert "removed 1 package " in ran.out
    assert packages(environment) == ["ours-2.0", "theirs-1.0"]


def test_edited_files_are_not_lost(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours")], "--into", environment)
    (environment / SITE_PACKAGES / "ours.py").write_text("edited")
    before = tree(environment)
    ran = main("uninstall", "--into", environment)
    assert ran.code == 8
    assert "ours.py was edited" in ran.err
    assert tree(environment) == before
    assert main("uninstall", "--into", environment, "--force").code == 0
    assert packages(environment) == ["theirs-1.0"]


def test_compiled_modules_go_with_their_sources(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours", files={"ours/__init__.py": b""})], "--into", environment)
    run_python(environment, "import ours")
    main("uninstall", "--into", environment)
    assert not (environment / SITE_PACKAGES / "ours").exists()


def test_target_is_empty_afterwards(
    tmp_path: Path, install: Install, main: Callable[..., Ran]
) -> None:
    target = tmp_path / "target"
    entry_points = "[console_scripts]\nours = ours:main\n"
    install([make_wheel("ours", entry_points=entry_points)], "--target", target)
    main("uninstall", "--target", target)
    assert list(target.iterdir()) == []


def test_there_is_no_way_back(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([make_wheel("ours")], "--into", environment)
    main("uninstall", "--into", environment)
    assert main("rollback", "--into", environment).code == 8


@pytest.mark.parametrize("option", ["--into", "--target", "--prefix"])
def test_place_where_nothing_of_ours_is(
    environment: Path, main: Callable[..., Ran], option: str
) -> None:
    before = tree(environment)
    assert main("uninstall", option, environment).code == 2
    assert tree(environment) == before


# An environment of wheelferry's own: all of it.


@pytest.fixture
def managed(tmp_path: Path, install: Install) -> Path:
    """An environment that was updated once."""
    folder = tmp_path / "far" / "managed"
    for version in ("1.0", "2.0"):
        install([make_wheel("ours", version)], "--venv", folder)
    return folder


def test_environment_goes_with_all_former_ones(managed: Path, main: Callable[..., Ran]) -> None:
    assert main("uninstall", "--venv", managed).code == 0
    assert list(managed.parent.iterdir()) == []


def test_environment_with_compiled_modules_goes(managed: Path, main: Callable[..., Ran]) -> None:
    run_python(managed, "import ours")
    assert main("uninstall", "--venv", managed).code == 0


@pytest.mark.parametrize(("name", "said"), [("ours.py", "edited"), ("mine.py", "added")])
def test_environment_with_something_of_others_stays(
    managed: Path, main: Callable[..., Ran], name: str, said: str
) -> None:
    (managed / SITE_PACKAGES / name).write_text("mine")
    before = tree(managed.parent)
    ran = main("uninstall", "--venv", managed)
    assert ran.code == 8
    assert f"{said}: {SITE_PACKAGES}/{name}" in ran.err
    assert tree(managed.parent) == before
    assert main("uninstall", "--venv", managed, "--force").code == 0
    assert list(managed.parent.iterdir()) == []


def test_environment_of_others_stays(environment: Path, main: Callable[..., Ran]) -> None:
    before = tree(environment.parent)
    assert main("uninstall", "--venv", environment).code == 2
    assert tree(environment.parent) == before


def test_environment_that_is_gone_already(tmp_path: Path, main: Callable[..., Ran]) -> None:
    assert main("uninstall", "--venv", tmp_path / "a" / "b").code == 2
    assert not (tmp_path / "a").exists()
