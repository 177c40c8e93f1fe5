"""Scripts that state their dependencies (PEP 723), resolved by the real uv from a local index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import uv

from support.making.sources import make_source
from support.making.unlocked import LINUX, OTHER, WINDOWS, chosen, read, roots, write
from support.making.wheels import make_wheel
from support.running.index import LocalIndex
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import UnfitError, UsageError
from wheelferry_schemas.target import Target

pytestmark = pytest.mark.usefixtures("uv_with_the_local_index")

SCRIPT = """\
# /// script
# requires-python = ">=3.8"
# dependencies = ["demo", "lib"]
# [tool.uv.sources]
# lib = { path = "lib" }
# ///
print("hello")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script with dependencies of its own."""
    make_source(tmp_path / "lib", make_wheel("lib"))
    return write(tmp_path, SCRIPT, "My_Tool.py")


@pytest.mark.parametrize(("target", "more"), [(LINUX, []), (WINDOWS, ["colorama 1.0"])])
def test_takes_what_a_script_depends_on(script: Path, target: Target, more: list[str]) -> None:
    locked = read(script, target)
    assert locked.name == "my-tool"
    assert chosen(locked, target) == [*more, "demo 1.0", "helper 2.0", "lib ?"]


def test_writes_nothing_beside_a_script(script: Path) -> None:
    before = sorted(script.parent.rglob("*"))
    read(script)
    assert sorted(script.parent.rglob("*")) == before


def test_takes_the_lock_beside_a_script(script: Path, index: LocalIndex) -> None:
    subprocess.run(
        [uv.find_uv_bin(), "lock", "--script", script.name, "--python", sys.executable],
        cwd=script.parent,
        check=True,
        capture_output=True,
    )
    index.add(make_wheel("helper", "3.0"))
    assert "helper 2.0" in chosen(read(script))


def test_obeys_the_python_that_a_script_requires(script: Path) -> None:
    text = SCRIPT.replace(">=3.8", f">={OTHER}")
    locked = read(write(script.parent, text, script.name))
    assert len(select(locked, LINUX).problems) == 1


def test_says_what_uv_says_of_a_script(script: Path) -> None:
    write(script.parent, SCRIPT.replace('"demo"', '"none"'), script.name)
    with pytest.raises(UnfitError, match=r"could not resolve My_Tool\.py") as caught:
        read(script)
    assert "none" in str(caught.value)


def test_scripts_have_no_extras_groups_or_packages(script: Path) -> None:
    with pytest.raises(UsageError, match="has no extras"):
        read(script, wanted=Wanted(extras=("x",)))


def test_roots_are_what_a_script_asks_for(script: Path) -> None:
    assert roots(read(script)) == ("demo", "lib")
