"""The page of the Python API: its programs run as they stand there, and are typed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, make_key, trust
from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import succeed
from support.running.index import LocalIndex
from support.running.installations import ALICE, run_python
from support.running.pages import DOCS

PAGE = DOCS / "reference" / "python-api.md"
_PROGRAM = re.compile(r'^```python title="(\w+\.py)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the programs of the page."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in _PROGRAM.findall(PAGE.read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    names = {path.name for path in folder.iterdir()}
    assert names == {"ci_step.py", "monthly.py", "gate.py", "deploy.py"}
    return folder


def started(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_programs_are_typed(programs: Path) -> None:
    for program in sorted(programs.iterdir()):
        command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(program)]
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300, cwd=programs
        )
        assert ran.returncode == 0, ran.stdout


def test_ci_step_creates_and_signs(programs: Path, tmp_path: Path, index: LocalIndex) -> None:
    project = make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])
    target, key = tmp_path / "target.json", tmp_path / "key"
    target.write_text(succeed("target", cwd=tmp_path).out, encoding="utf-8")
    succeed("key", "new", key, cwd=tmp_path)
    output = tmp_path / "app.tar.zst"
    ran = started(programs / "ci_step.py", project, target, key, output)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"{output}: 2 packages, {output.stat().st_size} bytes\n"
    shown = succeed("show", output, "--json", cwd=tmp_path).data
    assert len(shown["signers"]) == 1
    (project / "uv.lock").write_text("version = 2\n", encoding="utf-8")
    ran = started(programs / "ci_step.py", project, target, key, output)
    assert ran.returncode == 4
    assert ran.stderr.startswith("error: ")


def test_monthly_makes_what_the_settings_call_for(
    programs: Path, tmp_path: Path, index: LocalIndex
) -> None:
    project = make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])
    succeed("key", "new", tmp_path / "key", cwd=tmp_path)
    settings = "output = '{target}.tar.zst'\nexpires = '1d'\npython = '3.12'\n" + "".join(
        f"[targets.{name}]\nplatform = '{name}'\n" for name in ("win32", "win_amd64")
    )
    (project / "wheelferry.toml").write_text(settings, encoding="utf-8")
    ran = started(programs / "monthly.py", project, tmp_path / "key")
    assert (ran.returncode, ran.stderr) == (0, "")
    first, second = ran.stdout.splitlines()
    assert first.startswith("win32.tar.zst: until ")
    assert second.startswith("win_amd64.tar.zst: until ")
    assert first.partition(":")[2] == second.partition(":")[2]


def test_gate_moves_what_arrives_on_or_aside(
    programs: Path, tmp_path: Path, config_folder: Path
) -> None:
    trust(config_folder / "allowed_signers", ALICE)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    good = make_bundle(inbox / "good.tar.zst", [make_wheel("pure")], keys=[ALICE])
    make_bundle(inbox / "strange.tar.zst", [make_wheel("pure")], keys=[make_key("mallory")])
    (inbox / "torn.tar.zst").write_bytes(good.read_bytes()[:-20])
    ran = started(programs / "gate.py", inbox)
    assert (ran.returncode, ran.stderr) == (0, "")
    first, second, third = ran.stdout.splitlines()
    assert first.startswith("good.tar.zst: accepted: ")
    assert first.endswith(", signed by alice")
    assert second.startswith("strange.tar.zst: refused, not trusted: ")
    assert third.startswith("torn.tar.zst: refused: ")
    there = sorted(path.relative_to(inbox).as_posix() for path in inbox.rglob("*.zst"))
    assert there == ["accepted/good.tar.zst", "refused/strange.tar.zst", "refused/torn.tar.zst"]


def test_deployment_goes_back_to_what_worked(
    programs: Path, tmp_path: Path, config_folder: Path
) -> None:
    trust(config_folder / "allowed_signers", ALICE)
    for name, version, created in (("old", "1.0", OLD), ("new", "2.0", NEW)):
        wheel = make_wheel("pure", version)
        make_bundle(tmp_path / f"{name}.tar.zst", [wheel], keys=[ALICE], created=created)
    place, check = tmp_path / "app", "import importlib.metadata as m; m.version('pure')"
    deploy = programs / "deploy.py"
    ran = started(deploy, tmp_path / "old.tar.zst", place, check)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "+ pure 1.0\ndeployed\n", "")
    ran = started(deploy, tmp_path / "old.tar.zst", place, check)
    assert (ran.returncode, ran.stdout) == (0, "up to date\n")
    fails = f"{check}; raise SystemExit(m.version('pure') == '2.0')"
    ran = started(deploy, tmp_path / "new.tar.zst", place, fails)
    assert ran.returncode == 1
    said = ran.stdout.splitlines()
    assert said == ["~ pure 1.0 -> 2.0", "does not work: back to old.tar.zst"]
    assert run_python(place, f"{check}; print(m.version('pure'))") == "1.0\n"
