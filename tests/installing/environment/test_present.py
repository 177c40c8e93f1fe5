"""When an environment is believed to be up to date, and what happens where it is not."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import SITE_PACKAGES
from support.running.other_installers import Install, bundle_installer
from support.running.users import STRANGER, needs_two_users
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_schemas import receipt
from wheelferry_schemas.receipt import Receipt

WHEELS = [make_wheel("one"), make_wheel("two")]
BELIEVED = "is not up to date, although its receipt says so: "


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    run = bundle_installer(tmp_path, main)
    return lambda *options: run(WHEELS, "--venv", tmp_path / "far" / "env", *options)


@pytest.fixture
def environment(tmp_path: Path, install: Install) -> Path:
    install()
    return tmp_path / "far" / "env"


def rewrite(environment: Path, **changes: object) -> None:
    """Write a receipt that says something else."""
    read = read_receipt(environment)
    assert read is not None
    path = environment / receipt.FOLDER / receipt.FILE_NAME
    path.write_bytes(receipt.serialize(read.replaced(**changes)))


def written(environment: Path) -> Receipt:
    read = read_receipt(environment)
    assert read is not None
    return read


def lose_a_file(environment: Path) -> str:
    (environment / SITE_PACKAGES / "one.py").unlink()
    return f"1 file missing, such as {SITE_PACKAGES}/one.py"


def list_other_packages(environment: Path) -> str:
    one = written(environment).packages[0].replaced(version="7.0")
    rewrite(environment, packages=(one, *written(environment).packages[1:]))
    return "its receipt lists other packages than the bundle has"


def name_another_signer(environment: Path) -> str:
    rewrite(environment, signers=("bob SHA256:nobody",))
    return "its receipt says that bob SHA256:nobody signed the bundle, who did not"


def replace_the_manifest(environment: Path) -> str:
    (environment / receipt.FOLDER / "manifest.json").write_text("{}")
    return "the manifest in it is not that of the bundle"


def open_it_to_all(environment: Path) -> str:
    environment.chmod(0o777)
    return "it is writable by others (mode 0777)"


DOUBTS = [
    lose_a_file,
    list_other_packages,
    name_another_signer,
    replace_the_manifest,
    open_it_to_all,
]


@pytest.mark.parametrize("change", DOUBTS)
def test_environment_that_is_not_what_its_receipt_says_is_installed_anew(
    environment: Path, install: Install, change: Callable[[Path], str]
) -> None:
    before = written(environment).generation
    doubt = change(environment)
    ran = install()
    assert ran.code == 0
    assert f"warning: {environment} {BELIEVED}{doubt}\n" in ran.err
    assert "installed 2 packages" in ran.out
    assert written(environment).generation != before
    again = install()
    assert (again.err, f"{environment} is up to date: 2 packages\n" in again.out) == ("", True)


def test_dry_run_says_it_too(environment: Path, install: Install) -> None:
    doubt = lose_a_file(environment)
    before = tree(environment.parent)
    ran = install("--dry-run")
    assert doubt in ran.err
    assert "would replace" in ran.out
    assert install("--dry-run", "--json").data["changed"]
    assert tree(environment.parent) == before


def test_edited_file_is_neither_believed_nor_lost(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "one.py").write_text("evil")
    before = tree(environment.parent)
    ran = install()
    assert ran.code == 8
    assert f"{BELIEVED}1 file edited" in ran.err
    assert f"edited: {SITE_PACKAGES}/one.py" in ran.err
    assert tree(environment.parent) == before
    assert install("--force").code == 0
    assert install().err == ""


@pytest.mark.parametrize("same_times", [False, True])
def test_planted_environment_with_a_copied_receipt_is_not_believed(
    environment: Path, install: Install, same_times: bool
) -> None:
    genuine = environment.with_name("genuine")
    environment.rename(genuine)
    copy = shutil.copy2 if same_times else shutil.copyfile
    shutil.copytree(genuine, environment, symlinks=True, copy_function=copy)
    path = environment / SITE_PACKAGES / "one.py"
    times = path.stat()
    path.write_bytes(bytes(len(path.read_bytes())))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    ran = install()
    assert ran.code == 8
    assert f"edited: {SITE_PACKAGES}/one.py" in ran.err


def test_copied_environment_that_is_the_same_is_believed(
    environment: Path, install: Install
) -> None:
    genuine = environment.with_name("genuine")
    environment.rename(genuine)
    shutil.copytree(genuine, environment, symlinks=True)
    assert "is up to date" in install().out


def test_file_that_came_since_is_no_reason_to_install_anew(
    environment: Path, install: Install
) -> None:
    (environment / "notes.txt").write_text("mine")
    assert "is up to date" in install().out


@needs_two_users
def test_root_installs_anew_what_belongs_to_another_user(
    environment: Path, install: Install
) -> None:
    os.chown(environment, STRANGER, STRANGER)
    ran = install()
    assert ran.code == 0
    assert f"it belongs to another user (uid {STRANGER})" in ran.err
    assert environment.stat().st_uid == 0


@needs_two_users
def test_environment_of_another_user_is_never_replaced(
    environment: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(environment, STRANGER, STRANGER)
    before = tree(environment.parent)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER + 1)
    ran = install("--dry-run")
    assert ran.code == 8
    assert f"belongs to another user (uid {STRANGER})" in ran.err
    assert tree(environment.parent) == before


def test_environments_made_with_umask_002_are_believed(install: Install) -> None:
    before = os.umask(0o002)
    try:
        install()
        ran = install()
    finally:
        os.umask(before)
    assert (ran.err, "is up to date" in ran.out) == ("", True)
