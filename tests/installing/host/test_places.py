"""`--prefix`: where an interpreter looks for what is installed, and what is said where it won't."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import SITE_PACKAGES, this_interpreter
from support.running.other_installers import Install, bundle_installer, make_environment
from wheelferry_installer.host import places

PYTHON = f"python3.{sys.version_info.minor}"
DIST_PACKAGES = f"lib/{PYTHON}/dist-packages"
TOOL = make_wheel(
    "tool",
    files={"tool.py": b"def main():\n    print('found')\n", "tool-1.0.data/data/share/x": b""},
    entry_points="[console_scripts]\ntool = tool:main\n",
)


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path / "carried", main)


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter in `usr` whose additions lie in `usr/local`, in folders of their own."""
    usr = tmp_path / "usr"
    facts = {
        "prefix": os.fspath(usr),
        "purelib": os.fspath(usr / "local" / DIST_PACKAGES),
        "platlib": os.fspath(usr / "local" / DIST_PACKAGES),
        "scripts": os.fspath(usr / "local/bin"),
        "data": os.fspath(usr / "local"),
        "headers": os.fspath(usr / "include" / PYTHON),
        "searched": [
            os.fspath(usr / "lib" / PYTHON),
            os.fspath(usr / "local" / DIST_PACKAGES),
            os.fspath(usr / "lib/python3/dist-packages"),
        ],
        "externally_managed": True,
    }
    says(monkeypatch, facts)
    return usr


def says(monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> None:
    """Have the interpreter that a prefix is for answer so."""
    monkeypatch.setattr(places, "_facts", lambda _executable: facts)


def test_folder_for_additions_gets_the_folders_that_the_interpreter_names(
    debian: Path, install: Install
) -> None:
    ran = install([TOOL], "--prefix", debian / "local")
    assert ran.code == 0
    assert (debian / "local" / DIST_PACKAGES / "tool.py").exists()
    assert (debian / "local/bin/tool").exists()
    assert (debian / "local/share/x").exists()
    assert not (debian / "local/local").exists()
    assert "PYTHONPATH" not in ran.out


def test_folders_of_the_interpreter_stay_when_they_are_empty(
    debian: Path, install: Install, main: Callable[..., Ran]
) -> None:
    install([TOOL], "--prefix", debian / "local")
    assert main("uninstall", "--prefix", debian / "local", "--no-sync").code == 0
    assert (debian / "local" / DIST_PACKAGES).is_dir()
    assert (debian / "local/bin").is_dir()


def test_refuses_prefix_of_the_operating_system(debian: Path, install: Install) -> None:
    ran = install([TOOL], "--prefix", debian)
    assert ran.code == 8
    assert f"{debian} is managed by the operating system" in ran.err
    assert not debian.exists()


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_refuses_folder_in_which_the_interpreter_looks_elsewhere(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    facts = vars_of(tmp_path / "usr", searched=[tmp_path / "local" / DIST_PACKAGES])
    says(monkeypatch, facts)
    (tmp_path / "local").mkdir()
    before = tree(tmp_path / "local")
    ran = install([TOOL], "--prefix", tmp_path / "local", *more)
    assert ran.code == 5
    assert f"looks for packages in {tmp_path / 'local' / DIST_PACKAGES}" in ran.err
    assert f"not in {tmp_path / 'local' / SITE_PACKAGES}" in ran.err
    assert "--venv" in ran.err
    assert tree(tmp_path / "local") == before


def vars_of(root: Path, searched: list[Path]) -> dict[str, Any]:
    """Return what an interpreter says that has everything below `root`."""
    return {
        "prefix": os.fspath(root),
        "purelib": os.fspath(root / SITE_PACKAGES),
        "platlib": os.fspath(root / SITE_PACKAGES),
        "scripts": os.fspath(root / "bin"),
        "data": os.fspath(root),
        "headers": os.fspath(root / "include"),
        "searched": [os.fspath(path) for path in searched],
        "externally_managed": False,
    }


def test_own_prefix_needs_no_path(tmp_path: Path, install: Install) -> None:
    environment = make_environment(tmp_path / "env")
    python = environment / "bin/python"
    ran = install([TOOL], "--prefix", environment, "--python", python)
    assert "PYTHONPATH" not in ran.out
    assert output_of(environment / "bin/tool") == "found\n"


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_names_the_path_that_another_folder_needs(
    tmp_path: Path, install: Install, more: tuple[str, ...]
) -> None:
    ran = install([TOOL], "--prefix", tmp_path / "an app", *more)
    assert ran.code == 0
    library = tmp_path / "an app" / SITE_PACKAGES
    assert f"use it with: PYTHONPATH='{library}'" in ran.out


def test_other_folder_runs_with_the_path_that_was_named(tmp_path: Path, install: Install) -> None:
    data = json.loads(install([TOOL], "--prefix", tmp_path / "app", "--json").out)
    (path,) = data["pythonpath"]
    assert output_of(tmp_path / "app/bin/tool", PYTHONPATH=path) == "found\n"


def test_path_that_is_set_already_is_not_named(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"/other{os.pathsep}{tmp_path / 'app' / SITE_PACKAGES}")
    assert "PYTHONPATH" not in install([TOOL], "--prefix", tmp_path / "app").out


def test_both_folders_of_modules_are_named_where_they_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, vars_of(tmp_path / "usr", searched=[]))
    paths = {**this_interpreter().paths, "platlib": f"lib64/{PYTHON}/site-packages"}
    interpreter = replace(this_interpreter(), paths=paths)
    place = places.prefix(tmp_path / "app", interpreter, Path(sys.executable))
    assert place.unsearched == tuple(
        os.fspath(tmp_path / "app" / path) for path in (SITE_PACKAGES, paths["platlib"])
    )


def test_parent_of_another_tree_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, vars_of(tmp_path / "python", searched=[tmp_path / "python" / SITE_PACKAGES]))
    place = places.prefix(tmp_path, this_interpreter(), Path(sys.executable))
    assert place.searched == ()


def test_interpreter_says_where_it_looks_though_nothing_is_there_yet(tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "env")
    facts = places._facts(environment / "bin/python")
    assert os.path.realpath(environment / SITE_PACKAGES) in map(os.path.realpath, facts["searched"])


def output_of(script: Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    ran = subprocess.run([script], capture_output=True, text=True, check=True, env=environment)
    return ran.stdout
