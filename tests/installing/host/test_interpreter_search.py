import json
import os
import platform
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from wheelferry_installer.host import interpreter_search
from wheelferry_installer.host.interpreter_search import ask, find
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.errors import UnfitError

MINOR = sys.version_info.minor


@pytest.fixture(scope="module")
def here() -> Interpreter:
    return ask(sys.executable)


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on PATH besides those of the system's own programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def _program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def _launcher(path: Path) -> Path:
    """Make a program that starts this very interpreter."""
    return _program(path, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')


def test_interpreter_says_what_it_is(here: Interpreter) -> None:
    assert here.executable == Path(sys.executable)
    assert here.markers["python_full_version"] == platform.python_version()
    assert here.markers["sys_platform"] == sys.platform
    assert here.tags == {str(tag): rank for rank, tag in enumerate(sys_tags())}
    assert here.description.startswith(f"CPython {platform.python_version()} on ")


def _old_python(path: Path, here: Interpreter, platform_name: str) -> Path:
    """Make a program that answers as Python 3.8 does, which cannot load `packaging`."""
    facts = {
        "executable": os.fspath(path),
        "base_executable": os.fspath(path),
        "paths": here.paths,
        "libc": here.libc,
        "markers": {**here.markers, "python_version": "3.8", "python_full_version": "3.8.18"},
        "tags": None,
        "abi": "cp38",
        "platform": platform_name,
    }
    return _program(path, f"#!/bin/sh\ncat <<'END'\n{json.dumps(facts)}\nEND\n")


def test_old_python_gets_the_platforms_of_this_one(here: Interpreter, tmp_path: Path) -> None:
    old = ask(_old_python(tmp_path / "python3.8", here, sysconfig.get_platform()))
    newest = next(iter(here.tags)).rpartition("-")[2]
    assert next(iter(old.tags)) == f"cp38-cp38-{newest}"
    assert "cp39-cp39-" not in " ".join(old.tags)
    assert "py3-none-any" in old.tags


def test_old_python_for_another_platform_is_refused(here: Interpreter, tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="it is for win-amd64"):
        ask(_old_python(tmp_path / "python3.8", here, "win-amd64"))


def test_base_interpreter_is_the_one_behind_a_virtual_environment(
    here: Interpreter, tmp_path: Path
) -> None:
    import venv

    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    inside = ask(tmp_path / "env" / "bin" / "python")
    assert inside.executable == tmp_path / "env" / "bin" / "python"
    assert os.path.samefile(inside.base_executable, here.base_executable)
    assert not inside.base_executable.is_relative_to(tmp_path)
    assert inside.paths == here.paths


def test_paths_are_those_of_an_environment_relative_to_its_root(here: Interpreter) -> None:
    site_packages = f"lib/python3.{MINOR}/site-packages"
    assert here.paths["purelib"] == site_packages
    assert here.paths["scripts"] == "bin"
    assert here.paths["data"] == "."


def test_names_the_libc(here: Interpreter) -> None:
    name, version = platform.libc_ver()
    assert here.libc == f"{name} {version}"


def test_description_leaves_out_a_libc_that_is_not_known(here: Interpreter) -> None:
    unknown = Interpreter(
        executable=here.executable,
        base_executable=here.base_executable,
        markers=here.markers,
        tags=here.tags,
        paths=here.paths,
        libc="",
    )
    assert unknown.description.endswith(f"on {here.markers['platform_machine']}")


def test_nothing_of_the_folder_or_the_environment_changes_the_answer(
    here: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')\n")
    (tmp_path / "packaging.py").write_text("raise SystemExit('taken over')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "json.py"))
    assert ask(sys.executable) == here


def test_refuses_absent_program(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="cannot be run: No such file"):
        ask(tmp_path / "python")


def test_refuses_file_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("hello")
    with pytest.raises(UnfitError, match="cannot be run: Permission denied"):
        ask(tmp_path / "python")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho version 1 not found >&2; exit 1\n", "version 1 not found"),
        ("#!/bin/sh\n", "Expecting value"),
        ("#!/bin/sh\necho hello\n", "Expecting value"),
        ("#!/bin/sh\necho '{}'\n", "'executable'"),
        ("#!/bin/sh\necho '[]'\n", "list indices"),
        ("#!/bin/sh\nprintf '\\377'\n", "decode"),
    ],
)
def test_refuses_program_that_does_not_answer(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnfitError, match="does not answer like a Python interpreter") as caught:
        ask(_program(tmp_path / "python", text))
    assert said in caught.value.message
    assert caught.value.hint == "pass --python with the path of a Python interpreter"


def test_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter_search, "TIMEOUT", 0.2)
    with pytest.raises(UnfitError, match="cannot be run: no answer"):
        ask(_program(tmp_path / "python", "#!/bin/sh\nexec sleep 60\n"))


def test_gives_the_program_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="got: nothing"):
        ask(_program(tmp_path / "python", "#!/bin/sh\nread x || echo got: nothing >&2\n"))


def test_this_interpreter_comes_first(here: Interpreter) -> None:
    assert next(find(None, [])) == here


def test_others_of_the_versions_asked_for_come_from_path(on_path: Path) -> None:
    _launcher(on_path / "python3.98")
    _launcher(on_path / "python3.99")
    assert len(list(find(None, [97, 98]))) == 2


def test_passes_over_launchers_that_start_nothing(on_path: Path) -> None:
    _program(on_path / "python3.98", "#!/bin/sh\necho not installed >&2; exit 127\n")
    assert len(list(find(None, [98]))) == 1


def test_path_is_asked_for_alone(on_path: Path, here: Interpreter) -> None:
    _launcher(on_path / "python3.98")
    assert list(find(str(on_path / "python3.98"), [98])) == [here]


@pytest.mark.parametrize("wanted", ["3.98", "python3.98"])
def test_version_or_name_is_looked_up_on_path(on_path: Path, wanted: str) -> None:
    _launcher(on_path / "python3.98")
    assert len(list(find(wanted, []))) == 1


@pytest.mark.parametrize("wanted", ["3.98", "no-such-python", "/no/such/python", ""])
def test_refuses_what_is_not_found(on_path: Path, wanted: str) -> None:
    with pytest.raises(UnfitError, match="not found") as caught:
        list(find(wanted, []))
    assert on_path.is_dir()
    assert caught.value.hint is not None
    assert repr(wanted) in caught.value.message


def test_refuses_the_asked_for_interpreter_that_does_not_answer(on_path: Path) -> None:
    _program(on_path / "python3.98", "#!/bin/sh\nexit 127\n")
    with pytest.raises(UnfitError, match="does not answer"):
        list(find("3.98", []))


def test_program_that_is_no_python_does_not_print_what_it_was_to_run() -> None:
    with pytest.raises(UnfitError) as caught:
        ask("/bin/ls")
    assert str(caught.value).startswith("/bin/ls does not answer like a Python interpreter: ")
    assert "import" not in str(caught.value)
    assert len(str(caught.value)) < 200
