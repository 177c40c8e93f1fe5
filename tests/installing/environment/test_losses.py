"""What a person put into an environment, or edited there, is never lost without a word."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import SITE_PACKAGES
from support.running.other_installers import Install, bundle_installer, put_by_others

PREVIOUS = "env.wheelferry/previous"


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    run = bundle_installer(tmp_path, main)
    environment = tmp_path / "far" / "env"

    def install_version(version: str, *options: object) -> Ran:
        wheels = [make_wheel("ours", version, files={"ours.py": b"X = 1\n", "data.txt": b"12345"})]
        return run(wheels, "--venv", environment, *options)

    return install_version


@pytest.fixture
def environment(tmp_path: Path, install: Install) -> Path:
    """An environment that is about to be updated."""
    install("1.0")
    return tmp_path / "far" / "env"


def put_notes(environment: Path) -> None:
    (environment / "notes.txt").write_text("mine")


def edit(environment: Path) -> None:
    (environment / SITE_PACKAGES / "ours.py").write_text("X = 'edited'\n")


def edit_to_the_same_size(environment: Path) -> None:
    path = environment / SITE_PACKAGES / "ours.py"
    times = path.stat()
    path.write_text("X = 2\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def edit_configuration(environment: Path) -> None:
    with (environment / "pyvenv.cfg").open("a") as file:
        file.write("mine = true\n")


def replace_by_a_link(environment: Path) -> None:
    path = environment / SITE_PACKAGES / "ours.py"
    path.rename(environment.parent / "ours.py")
    path.symlink_to(environment.parent / "ours.py")


def install_by_pip(environment: Path) -> None:
    files = {f"extra/{number}.py": b"" for number in range(50)}
    put_by_others(environment, "extra", {**files, "../../../bin/extra": b"#!/bin/sh\n"}, "2.31.0")


def update_by_pip(environment: Path) -> None:
    metadata = environment / SITE_PACKAGES / "ours-1.0.dist-info"
    for path in metadata.iterdir():
        path.unlink()
    metadata.rmdir()
    (environment / SITE_PACKAGES / "data.txt").unlink()
    put_by_others(environment, "ours", {"ours.py": b"X = 3\n"}, "1.1")


def put_beside_the_receipt(environment: Path) -> None:
    (environment / "wheelferry" / "notes.txt").write_text("mine")


def put_into_our_metadata(environment: Path) -> None:
    (environment / SITE_PACKAGES / "ours-1.0.dist-info" / "notes.txt").write_text("mine")


def link_elsewhere(environment: Path) -> None:
    (environment / "data").symlink_to(environment.parent)


EDITED = f"edited: {SITE_PACKAGES}/ours.py"
LOSSES: dict[Callable[[Path], None], tuple[str, str]] = {
    put_notes: ("1 file added", "added: notes.txt"),
    edit: ("1 file edited", EDITED),
    edit_to_the_same_size: ("1 file edited", EDITED),
    edit_configuration: ("1 file edited", "edited: pyvenv.cfg"),
    replace_by_a_link: ("1 file edited", EDITED),
    install_by_pip: ("1 package of another installer", "installed by others: extra 2.31.0"),
    update_by_pip: ("1 package of another installer", "installed by others: ours 1.1"),
    put_beside_the_receipt: ("1 file added", "added: wheelferry/notes.txt"),
    put_into_our_metadata: ("1 file added", "ours-1.0.dist-info/notes.txt"),
    link_elsewhere: ("1 file added", "added: data"),
}


@pytest.mark.parametrize("change", LOSSES, ids=lambda change: change.__name__)
def test_update_is_refused_where_somebody_was_at_work(
    environment: Path, install: Install, change: Callable[[Path], None]
) -> None:
    change(environment)
    before = tree(environment.parent)
    ran = install("2.0")
    tally, name = LOSSES[change]
    assert (ran.code, ran.out) == (8, "")
    assert f"{environment} has files that would be lost: {tally}: " in ran.err
    assert name in ran.err
    assert f"pass --force: then they stay in {environment.parent / PREVIOUS}" in ran.err
    assert tree(environment.parent) == before


def test_dry_run_is_refused_likewise(environment: Path, install: Install) -> None:
    edit(environment)
    before = tree(environment.parent)
    dry, real = install("2.0", "--dry-run"), install("2.0")
    assert dry == real
    assert tree(environment.parent) == before


@pytest.mark.parametrize("change", LOSSES, ids=lambda change: change.__name__)
def test_forced_update_leaves_it_in_the_former_environment_and_says_where(
    environment: Path, install: Install, change: Callable[[Path], None]
) -> None:
    change(environment)
    before = tree(environment)
    ran = install("2.0", "--force")
    former = environment.parent / PREVIOUS
    last = f"what is not wheelferry's stays in {former}: {LOSSES[change][0]}"
    assert (ran.code, ran.out.splitlines()[-1]) == (0, last)
    assert tree(former) == before


def test_compiled_modules_are_no_obstacle(environment: Path, install: Install) -> None:
    cached = environment / SITE_PACKAGES / "__pycache__" / "ours.cpython-311.pyc"
    cached.parent.mkdir()
    cached.write_bytes(b"compiled")
    assert install("2.0").code == 0


def test_missing_files_are_no_obstacle(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "ours.py").unlink()
    assert install("2.0").code == 0


@pytest.mark.parametrize("option", ["chmod", "touch", "copy"])
def test_files_whose_times_alone_changed_are_no_obstacle(
    environment: Path, install: Install, option: str
) -> None:
    path = environment / SITE_PACKAGES / "ours.py"
    if option == "chmod":
        path.chmod(0o600)
    elif option == "touch":
        path.touch()
    else:
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    assert install("2.0").code == 0


def test_at_most_twenty_are_named(environment: Path, install: Install) -> None:
    for number in range(25):
        (environment / f"note{number:02}").write_text("mine")
    ran = install("2.0")
    assert "25 files added" in ran.err
    assert "  added: note19\n  and 5 more\n" in ran.err
    assert "note20" not in ran.err


@pytest.mark.parametrize("forced", [False, True])
def test_keeping_nothing_is_refused_even_with_force(
    environment: Path, install: Install, forced: bool
) -> None:
    put_notes(environment)
    before = tree(environment.parent)
    ran = install("2.0", "--keep", "0", *(["--force"] if forced else []))
    assert ran.code == 8
    assert "leave out --keep 0 and pass --force" in ran.err
    assert tree(environment.parent) == before


def test_former_environment_with_somebodys_files_is_never_dropped_by_an_update(
    environment: Path, install: Install
) -> None:
    put_notes(environment)
    install("2.0", "--force")
    before = tree(environment.parent)
    former = environment.parent / PREVIOUS
    for options in ([], ["--force"], ["--keep", "0"]):
        ran = install("3.0", *options)
        assert ran.code == 8
        assert f"{former} has files that would be lost: 1 file added: added: notes.txt" in ran.err
        assert f"to keep {former} pass --keep 2; to lose it: bundle prune --venv" in ran.err
        assert tree(environment.parent) == before
    assert install("3.0", "--keep", "2").code == 0
    assert (environment.parent / "env.wheelferry/previous.2/notes.txt").is_file()


def test_both_are_told_at_once(environment: Path, install: Install) -> None:
    put_notes(environment)
    install("2.0", "--force")
    edit(environment)
    ran = install("3.0")
    assert f"  {EDITED}\n  in {environment.parent / PREVIOUS}: added: notes.txt\n" in ran.err


@pytest.mark.parametrize("option", [(), ("--force",)])
def test_what_comes_while_the_new_one_is_built_is_not_lost_either(
    environment: Path, install: Install, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    from wheelferry_installer.install import staging

    written = staging.write_receipt

    def write_receipt(*arguments: object, **options: object) -> object:
        put_notes(environment)
        return written(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(staging, "write_receipt", write_receipt)
    before = tree(environment)
    ran = install("2.0", *option)
    if option:
        assert "stays in" in ran.out
        assert (environment.parent / PREVIOUS / "notes.txt").is_file()
    else:
        assert ran.code == 8
        (environment / "notes.txt").unlink()
        assert tree(environment) == before
        assert not (environment.parent / "env.wheelferry").exists()


def test_json_says_what_stays(environment: Path, install: Install) -> None:
    put_notes(environment)
    former = os.fspath(environment.parent / PREVIOUS)
    expected = {"folder": former, "edited": [], "added": ["notes.txt"], "packages": []}
    assert install("2.0", "--force", "--json", "--dry-run").data["kept_files"] == expected
    assert install("2.0", "--force", "--json").data["kept_files"] == expected
    assert install("3.0", "--keep", "2", "--json").data["kept_files"] is None


def test_rollback_says_where_it_stays(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install("2.0")
    put_notes(environment)
    ran = main("rollback", "--venv", environment)
    former = environment.parent / PREVIOUS
    assert ran.code == 0
    assert ran.out.endswith(f"what is not wheelferry's stays in {former}: 1 file added\n")
    assert (former / "notes.txt").read_text() == "mine"


def test_uninstall_asks_for_former_environments_too(
    environment: Path, install: Install, main: Callable[..., Ran]
) -> None:
    put_notes(environment)
    install("2.0", "--force")
    before = tree(environment.parent)
    ran = main("uninstall", "--venv", environment)
    assert ran.code == 8
    assert "added: notes.txt" in ran.err
    assert tree(environment.parent) == before
    assert main("uninstall", "--venv", environment, "--force").code == 0
    assert list(environment.parent.iterdir()) == []


def test_project_that_grew_around_an_environment_stays(environment: Path, install: Install) -> None:
    (environment / "src").mkdir()
    (environment / "src" / "app.py").write_text("mine")
    before = tree(environment.parent)
    assert install("2.0").code == 8
    assert tree(environment.parent) == before
