from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.locks import edge, names, package, project, read, target, uv_lock
from support.running.no_effects import EffectError, no_effects
from wheelferry_bundler.select.closure import Demand, close, parse_metadata
from wheelferry_bundler.select.missing_wheels import MissingWheelError, joined
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.select.selection import select

LOCK = uv_lock(
    project(
        "demo",
        edge("leaf", extra=["fast"]),
        edge("backport", marker="python_full_version < '3.12.3'"),
        edge("windows", marker="sys_platform == 'win32'"),
    ),
    package("leaf", extras={"fast": [edge("deep")]}),
    package("deep"),
    package("backport"),
    package("windows", wheels=("windows-1.0-cp312-cp312-win_arm64.whl",)),
)
METADATA = b"Name: leaf\nVersion: 1.0\nRequires-Dist: absent; python_version > '3.8'\n\n"


@pytest.mark.parametrize(
    "effect",
    [
        lambda: Path(__file__).read_bytes(),
        lambda: os.listdir("."),
        lambda: list(Path().iterdir()),
        lambda: subprocess.run([sys.executable, "-V"], check=True),
        socket.socket,
    ],
    ids=["read a file", "list a folder", "iterate over a folder", "run a program", "use a socket"],
)
def test_notices_effect(effect: Callable[[], object]) -> None:
    with pytest.raises(EffectError), no_effects():
        effect()


def test_selection_does_nothing_but_compute() -> None:
    locked, linux, windows = read(LOCK), target(), target("win_amd64")
    with no_effects():
        selection = select(locked, linux)
        [problem] = select(locked, windows).problems
        assert isinstance(problem, MissingWheelError)
        error = joined([problem, problem])
    assert names(selection) == {"demo", "leaf", "deep"}
    assert "windows" in error.message


def test_closure_does_nothing_but_compute() -> None:
    environment = target().markers.plain()
    with no_effects():
        stated = parse_metadata(METADATA)
        assert stated is not None
        closure = close({"leaf": "1.0"}, {"leaf": stated}, Demand(), environment)
    assert [need.name for need in closure.missing] == ["absent"]


def test_parsing_a_platform_does_nothing_but_compute() -> None:
    with no_effects():
        platform = parse_platform("macosx_11_0_arm64")
    assert "macosx_11_0_universal2" in platform.tags
