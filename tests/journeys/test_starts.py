"""Each command once as a process of its own; elsewhere they are forked from one that is warm."""

from pathlib import Path

import click
import pytest

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import Ran, bundle, succeed
from support.running.index import LocalIndex
from wheelferry_installer.cli import bundle as group


def test_each_command_runs_as_a_process_of_its_own(tmp_path: Path, index: LocalIndex) -> None:
    project = make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])
    started = set()

    def run(*arguments: str | Path) -> Ran:
        started.add(arguments[0])
        return succeed(*arguments, cwd=project, real=True)

    run("key", "new")
    run("target")
    run("create", "--output", "old")
    run("init", "--no-dev")
    run("settings")
    run("create", "--output", "new")
    # It would fetch from PyPI.
    run("bootstrap", "--help")
    run("trust", "list")
    for command in ("show", "verify"):
        run(command, "new")
    run("diff", "old", "new")
    for bundled in ("old", "new"):
        run("install", bundled, "--reinstall")
    for command in ("status", "rollback", "prune", "uninstall"):
        run(command)
    run("unpack", "new", "out")
    other = tmp_path / "other"
    run("key", "new", other)
    run("sign", "new", "--key", other)
    assert started == set(group.list_commands(click.Context(group)))


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("trust", "list"), ("install",), ("shew",), ("show", "none")],
)
def test_forked_command_does_what_a_started_one_does(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert bundle(*arguments, cwd=tmp_path) == bundle(*arguments, cwd=tmp_path, real=True)
