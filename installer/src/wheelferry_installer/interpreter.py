"""Asks a Python interpreter what it is: tags, markers, paths. It is run, never guessed about."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import packaging

from wheelferry_schemas.errors import UnfitError

TIMEOUT = 60
"""Seconds; an interpreter on a slow disk takes its time to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What an interpreter said of itself.

    `paths` are those of a virtual environment relative to its root: purelib, platlib, scripts and
    data. `tags` maps the wheel tags that fit to their rank, 0 being best. `libc` is `glibc 2.36`,
    or empty.
    """

    executable: Path
    base_executable: Path
    markers: Mapping[str, str]
    tags: Mapping[str, int]
    paths: Mapping[str, str]
    libc: str

    @property
    def description(self) -> str:
        """How a person is told which one it is."""
        libc = f", {self.libc}" if self.libc else ""
        version = self.markers["python_full_version"]
        name = self.markers["platform_python_implementation"]
        return f"{name} {version} on {self.markers['platform_machine']}{libc}"


def ask(executable: str | os.PathLike[str]) -> Interpreter:
    """Run an interpreter and return what it says of itself.

    Raises `UnfitError` where it cannot be run or is none.
    """
    command = [os.fspath(executable), "-I", "-c", _script(), os.path.dirname(packaging.__file__)]
    try:
        run = subprocess.run(
            command, capture_output=True, check=False, timeout=TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else "it does not answer"
        raise UnfitError(
            f"{os.fspath(executable)} cannot be run: {reason}",
            hint="pass --python with the path of a Python interpreter",
        ) from error
    try:
        facts = json.loads(run.stdout)
        return Interpreter(
            executable=Path(facts["executable"]),
            base_executable=Path(facts["base_executable"]),
            markers=facts["markers"],
            tags={tag: rank for rank, tag in enumerate(facts["tags"])},
            paths=facts["paths"],
            libc=facts["libc"],
        )
    except (ValueError, KeyError, TypeError) as error:
        last = run.stderr.decode(errors="replace").strip().splitlines()[-1:] or [str(error)]
        raise UnfitError(
            f"{os.fspath(executable)} does not answer as Python 3.9 or newer does: {last[0]}",
            hint="pass --python with the path of a Python interpreter",
        ) from error


def find(wanted: str | None, minors: Sequence[int]) -> Iterator[Interpreter]:
    """Yield the interpreters to try, best first.

    `wanted` is the user's `--python`: a path, a name on PATH, or a version such as `3.12`; then
    there is one, and `UnfitError` is raised where there is none. Else this very interpreter
    comes first, and then `python3.N` from PATH for each of the minor versions.
    """
    if wanted is not None:
        name = f"python{wanted}" if wanted[:1].isdigit() else wanted
        path = shutil.which(name)
        if path is None:
            raise UnfitError(
                f"no interpreter {wanted!r} is found here",
                hint="pass --python with the full path of one, such as /usr/bin/python3",
            )
        yield ask(path)
        return
    yield ask(sys.executable)
    for minor in minors:
        path = shutil.which(f"python3.{minor}")
        if path is not None:
            try:
                yield ask(path)
            except UnfitError:
                # Launchers of version managers are on PATH even where they start nothing.
                continue


@functools.cache
def _script() -> str:
    return (files("wheelferry_installer") / "interpreter_facts.py").read_text(encoding="utf-8")
