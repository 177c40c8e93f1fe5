import importlib.util
import os
import stat
import sys
from importlib.machinery import SourcelessFileLoader
from pathlib import Path

import pytest

from wheelferry_installer.install.compiling import compile_modules

FINAL = Path("/opt/final place")


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    return tmp_path / "staging"


def write(staging: Path, *paths: str, text: str = "VALUE = 1\n") -> list[str]:
    for path in paths:
        (staging / path).parent.mkdir(parents=True, exist_ok=True)
        (staging / path).write_text(text)
    return list(paths)


def compiled(staging: Path, path: str) -> Path:
    return Path(importlib.util.cache_from_source(os.fspath(staging / path)))


def test_modules_name_the_paths_that_they_will_have(staging: Path) -> None:
    modules = write(staging, "lib/one.py", "lib/package/žlutý kůň.py")
    compile_modules(Path(sys.executable), staging, modules, FINAL)
    for path in modules:
        code = SourcelessFileLoader("module", os.fspath(compiled(staging, path))).get_code("module")
        assert code is not None
        assert code.co_filename == os.fspath(FINAL / path)


def test_all_are_compiled_however_many_processors_there_are(
    staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = write(staging, *(f"lib/module{number}.py" for number in range(20)))
    monkeypatch.setattr("wheelferry_installer.install.compiling.processors", lambda: 3)
    compile_modules(Path(sys.executable), staging, modules, FINAL)
    assert all(compiled(staging, path).exists() for path in modules)


@pytest.mark.parametrize("text", ["this is no Python", "\0", "x = '" + "\\N{nothing}'", "(" * 500])
def test_what_does_not_compile_stays_as_it_is(staging: Path, text: str) -> None:
    write(staging, "lib/bad.py", text=text)
    write(staging, "lib/good.py")
    # The bad one is the larger, or there is one process for each.
    compile_modules(Path(sys.executable), staging, ["lib/bad.py", "lib/good.py"], FINAL)
    assert (staging / "lib/bad.py").read_text() == text
    assert not compiled(staging, "lib/bad.py").exists()
    assert compiled(staging, "lib/good.py").exists()


def test_nothing_of_a_module_is_run(staging: Path, tmp_path: Path) -> None:
    modules = write(staging, "lib/evil.py", text=f"open({os.fspath(tmp_path / 'ran')!r}, 'w')\n")
    compile_modules(Path(sys.executable), staging, modules, FINAL)
    assert compiled(staging, "lib/evil.py").exists()
    assert not (tmp_path / "ran").exists()


def test_interpreter_that_does_not_compile_is_no_failure(staging: Path, tmp_path: Path) -> None:
    modules = write(staging, *(f"lib/{'long' * 50}{number}.py" for number in range(1000)))
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    compile_modules(broken, staging, modules, FINAL)
    assert not any(staging.rglob("*.pyc"))
