"""The Pythons of this machine that the installer runs with, without any package."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_MINORS = range(10, 15)
_OLD = ("2.7", "3.6", "3.7", "3.8", "3.9")
_SAYS = "import sys, venv; print(sys.version_info[1])"


@functools.cache
def bare_pythons() -> dict[str, Path]:
    """Return an interpreter for each version, such as `3.12`; the running one is among them."""
    found = {}
    for minor in _MINORS:
        for candidate in _candidates(minor):
            if _minor(candidate) == minor:
                found[f"3.{minor}"] = candidate
                break
    return found


@functools.cache
def old_pythons() -> tuple[Path, ...]:
    """Return the interpreters of this machine that are too old for the installer."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    return tuple(path for one in _OLD for path in sorted(versions.glob(f"{one}.*/bin/python")))


def _candidates(minor: int) -> Iterator[Path]:
    if sys.version_info.minor == minor:
        yield Path(os.path.realpath(sys.executable))
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    yield from sorted(versions.glob(f"3.{minor}.*/bin/python3"))
    named = shutil.which(f"python3.{minor}")
    if named is not None:
        yield Path(named)


def _minor(python: Path) -> int | None:
    # Launchers of version managers are on PATH even where they start nothing.
    run = subprocess.run([python, "-I", "-S", "-c", _SAYS], capture_output=True, check=False)
    return int(run.stdout) if run.returncode == 0 else None
