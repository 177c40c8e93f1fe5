from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from oracle.comparison import both
from oracle.corpus import Corpus
from oracle.ours import Choice, choose
from oracle.sampling import sampled
from oracle.shapes import Shape
from oracle.shapes_all import SHAPES
from oracle.uv_runs import TARGETS, OracleTarget

EXPORTED = {
    "markers": "",
    "extras of extras": "--all-extras",
    "groups": "--all-groups",
    "forks by python": "",
    "forks by platform": "--all-extras",
    "patch releases": "",
    "supported environments": "",
    "tags": "",
    "long": "--all-extras",
    "urls": "",
    "files": "",
    "folders": "",
    "git": "",
    "source archives only": "",
    "split indexes by platform": "",
    "workspace with a root project": "--all-packages --all-extras",
    "conflicting extras": "--extra future",
}
CASES = sampled(
    [(shape.name, (shape, EXPORTED[shape.name])) for shape in SHAPES if shape.name in EXPORTED]
)


@pytest.mark.parametrize(("shape", "flags", "targets"), CASES)
def test_reads_exported_lock_as_uv_does(
    corpus: Corpus, shape: Shape, flags: str, targets: Sequence[OracleTarget]
) -> None:
    folder = corpus.locked(shape)
    lock = folder / "pylock.toml"
    lock.write_bytes(corpus.uv.export(folder, "--format", "pylock.toml", *flags.split()))
    expected = corpus.pylock_packages(lock, [], targets)
    ours, theirs = both(choose(lock, [], targets), expected)
    assert ours == theirs


PYLOCK = """
lock-version = "1.0"
created-by = "tests"
requires-python = ">=3.10"
environments = ["sys_platform != 'win32'", "sys_platform == 'win32'"]
extras = ["pretty", "fast-enough"]
dependency-groups = ["dev", "docs", "default"]
default-groups = ["default"]
[[packages]]
name = "leaf"
version = "2.0"
marker = "python_full_version >= '3.12' and ('default' in dependency_groups or 'docs' in dependency_groups)"
{leaf2}
[[packages]]
name = "leaf"
version = "1.0"
marker = "python_full_version < '3.12'"
{leaf1}
[[packages]]
name = "colors"
version = "1.0"
marker = "'pretty' in extras or 'docs' in dependency_groups or 'dev' in dependency_groups"
requires-python = ">=3.9"
{colors}
[[packages]]
name = "winthing"
version = "1.0"
marker = "sys_platform == 'win32' and 'fast-enough' in extras"
{winthing}
[[packages]]
name = "new"
version = "2.0"
marker = "'dev' in dependency_groups"
requires-python = ">=3.12"
{new}
"""


@pytest.fixture(scope="session")
def pylock(corpus: Corpus) -> Path:
    """A lock whose packages hang on extras and groups."""

    def wheel(file_name: str) -> str:
        sha256 = corpus.main.hashes[file_name]
        return (
            f'[[packages.wheels]]\nurl = "{corpus.main.file_url(file_name)}"\n'
            f'hashes = {{ sha256 = "{sha256}" }}'
        )

    folder = corpus.folder / "pylock"
    folder.mkdir()
    path = folder / "pylock.toml"
    path.write_text(
        PYLOCK.format(
            leaf1=wheel("leaf-1.0-py3-none-any.whl"),
            leaf2=wheel("leaf-2.0-py3-none-any.whl"),
            colors=wheel("colors-1.0-py3-none-any.whl"),
            winthing=wheel("winthing-1.0-py3-none-any.whl"),
            new=wheel("new-2.0-py3-none-any.whl"),
        )
    )
    return path


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "--extra pretty",
        "--all-extras",
        "--extra fast-enough --extra pretty",
        "--group docs",
        "--group dev",
        "--group dev --group docs --all-extras",
    ],
)
def test_takes_extras_and_groups_of_pylock_as_uv_does(
    corpus: Corpus, pylock: Path, flags: str
) -> None:
    """For uv's pip interface, `--group` turns the default groups off; here as in `uv sync` not."""
    expected = corpus.pylock_packages(pylock, flags.split(), TARGETS)
    own = ["--no-default-groups"] if "--group" in flags else []
    ours, theirs = both(choose(pylock, [*own, *flags.split()]), expected)
    assert ours == theirs


@pytest.mark.parametrize("needs", [("tree[pretty]", "egg"), ("numlib", "leaf")])
def test_reads_lock_of_pip_as_uv_does(corpus: Corpus, tmp_path: Path, needs: Sequence[str]) -> None:
    """pip locks for its own platform alone, so the second one has wheels for hardly any target.

    That the first one lacks what only Windows needs is told by us alone.
    """
    lock = tmp_path / "pylock.toml"
    command = [sys.executable, "-m", "pip", "lock", "--quiet", "--only-binary=:all:"]
    index = ["--index-url", corpus.main.simple_url, "--disable-pip-version-check"]
    subprocess.run([*command, *index, "--output", str(lock), *needs], check=True)
    expected = corpus.pylock_packages(lock, [], TARGETS)
    windows = {target.id for target in TARGETS if target.platform.startswith("win")}
    lacking = {target for target, choice in choose(lock, []).items() if _is_incomplete(choice)}
    assert lacking == (windows if "tree[pretty]" in needs else set())
    ours, theirs = both(choose(lock, ["--no-install-package", "winthing"]), expected)
    assert ours == theirs


def _is_incomplete(choice: Choice) -> bool:
    return "pylock.toml is not complete" in choice.problems
