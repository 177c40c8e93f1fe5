"""No module is imported in a thread: two threads that import at once break each other's imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import make_own_key
from support.running.index import LocalIndex

RECORDER = """
import sys, threading
main, seen = threading.main_thread(), []
def record(event, arguments):
    # What is loaded already raises no event of its own.
    if event == "import" and threading.current_thread() is not main:
        seen.append(arguments[0])
sys.addaudithook(record)
from wheelferry_installer import cli
try:
    cli.main()
finally:
    if seen:
        print("in a thread:", *seen, file=sys.stderr)
        sys.exit(99)
"""


def recorded(cwd: Path, *arguments: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", RECORDER, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("state", ["cold", "warm"])
def test_create_from_requirements(tmp_path: Path, index: LocalIndex, state: str) -> None:
    index.add(make_wheel("pure"), make_wheel("helper"))
    (tmp_path / "requirements.txt").write_text("pure\nhelper\n", encoding="ascii")
    matrix = ("--platform", "manylinux_2_28_x86_64", "--platform", "win_amd64", "--python", "3.12")
    for _ in range(1 if state == "cold" else 2):
        recorded(
            tmp_path,
            *("create", "requirements.txt", "--index-url", index.simple_url),
            *(*matrix, "--unsigned", "--force"),
        )


def test_create_from_a_lock_with_something_to_build(tmp_path: Path, index: LocalIndex) -> None:
    project = tmp_path / "project"
    make_project(project, index, [(make_wheel("pure"), None)])
    make_own_key({})
    recorded(project, "create")
    recorded(project, "install", "bundle.tar.zst")


def test_create_that_fails_early(tmp_path: Path, index: LocalIndex) -> None:
    make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])
    run = subprocess.run(
        [sys.executable, "-c", RECORDER, "create", "--expires", "tomorrow"],
        cwd=tmp_path / "project",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stderr
