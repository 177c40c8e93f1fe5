"""An upgrade keeps the Python that the environment was made with, or says that it does not."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran
from support.running.installations import this_interpreter
from support.running.other_installers import Install, bundle_installer
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.host import former_python
from wheelferry_schemas import receipt

DEFAULT = this_interpreter().base_executable
OLD, NEW = [make_wheel("ours")], [make_wheel("ours", "2.0")]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is remembered."""
    folder = tmp_path / "state"
    monkeypatch.setattr(former_python, "state_folder", lambda: folder)
    return folder


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return tmp_path / "env"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A Python that is neither on PATH nor the one that runs this."""
    path = tmp_path / "other" / "python3"
    path.parent.mkdir()
    path.symlink_to(DEFAULT)
    return path


@pytest.fixture
def made_with_other(environment: Path, install: Install, other: Path) -> Path:
    """An environment that was made with the other Python."""
    assert install(OLD, "--venv", environment, "--python", other).code == 0
    assert python_of(environment) == os.fspath(other)
    return environment


def python_of(environment: Path) -> str:
    read = read_receipt(environment)
    assert read is not None
    return read.interpreter


def claim(environment: Path, python: str) -> None:
    """Have the receipt say that the environment was made with another Python."""
    path = environment / receipt.FOLDER / receipt.FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "interpreter": python}))


def test_python_that_was_named_once_is_kept(made_with_other: Path, install: Install) -> None:
    before = python_of(made_with_other)
    for options in (("--dry-run",), ()):
        ran = install(NEW, "--venv", made_with_other, *options)
        assert (ran.code, ran.err) == (0, "")
    assert python_of(made_with_other) == before
    assert "is up to date" in install(NEW, "--venv", made_with_other).out


def test_other_python_may_be_named(made_with_other: Path, install: Install) -> None:
    ran = install(NEW, "--venv", made_with_other, "--python", DEFAULT)
    assert (ran.code, ran.err) == (0, "")
    assert python_of(made_with_other) == os.fspath(DEFAULT)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_says_that_the_former_one_is_gone(
    made_with_other: Path, other: Path, install: Install, options: tuple[str, ...]
) -> None:
    other.unlink()
    ran = install(NEW, "--venv", made_with_other, *options)
    assert ran.code == 0
    said = f"{made_with_other} was made with {other}, which is gone: it will have {DEFAULT}"
    assert said in ran.err


@pytest.mark.parametrize(
    "text", ["#!/bin/sh\necho nonsense\n", "#!/no/such/interpreter\n", "#!/bin/sh\nexit 1\n"]
)
def test_says_that_the_former_one_does_not_fit(
    made_with_other: Path, other: Path, install: Install, text: str
) -> None:
    other.unlink()
    other.write_text(text)
    other.chmod(0o755)
    ran = install(NEW, "--venv", made_with_other)
    assert ran.code == 0
    assert f"which does not fit this bundle: it will have {DEFAULT}" in ran.err
    assert python_of(made_with_other) == os.fspath(DEFAULT)


def test_default_needs_no_word(environment: Path, install: Install, state: Path) -> None:
    install(OLD, "--venv", environment)
    (state / "pythons").unlink()
    ran = install(NEW, "--venv", environment)
    assert (ran.code, ran.err) == (0, "")


def test_program_that_a_receipt_names_is_not_started(
    environment: Path, install: Install, tmp_path: Path
) -> None:
    install(OLD, "--venv", environment)
    evil = tmp_path / "repository" / "python3"
    evil.parent.mkdir()
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/taken-over\n")
    evil.chmod(0o755)
    claim(environment, os.fspath(evil))
    ran = install(NEW, "--venv", environment)
    assert ran.code == 0
    assert not (tmp_path / "taken-over").exists()
    assert f"--python {evil} keeps it" in ran.err


def test_link_to_a_python_of_this_host_is_another_program(
    environment: Path, install: Install, other: Path
) -> None:
    install(OLD, "--venv", environment)
    # What lies beside such a link says which packages it has.
    (other.parent / "pyvenv.cfg").write_text(f"home = {DEFAULT.parent}\n")
    claim(environment, os.fspath(other))
    former = former_python.former_python(environment)
    assert former is not None
    assert not former.usable


@pytest.mark.parametrize("python", ["python3", "a\0b", "", "/", "~/python3"])
def test_receipt_that_names_no_program(environment: Path, install: Install, python: str) -> None:
    install(OLD, "--venv", environment)
    claim(environment, python)
    former = former_python.former_python(environment)
    assert former is None or not former.usable


def test_state_that_is_no_text_is_not_believed(
    made_with_other: Path, install: Install, state: Path
) -> None:
    (state / "pythons").write_bytes(b"\xff\xfe\n")
    ran = install(NEW, "--venv", made_with_other)
    assert ran.code == 0
    assert "has not chosen before" in ran.err


def test_state_keeps_what_was_chosen_last(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(former_python, "_MOST", 3)
    for number in (1, 2, 3, 2, 4):
        former_python.remember(Path(f"/python{number}"))
    former_python.remember(Path("/two\nlines"))
    text = (state / "pythons").read_text()
    assert text == "/python2\n/python3\n/python4\n"


def test_state_that_cannot_be_written_is_no_obstacle(state: Path) -> None:
    state.write_text("no folder")
    former_python.remember(Path(sys.executable))
    assert state.read_text() == "no folder"
