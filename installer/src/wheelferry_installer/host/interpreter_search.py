"""Finds Python interpreters and runs them to learn their tags, markers and paths."""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import packaging

from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.errors import UnfitError

if TYPE_CHECKING:
    from typing_extensions import Self

_ROOM = os.path.dirname(os.path.dirname(__file__))
_FACTS = os.path.join(_ROOM, "foreign", "interpreter_facts.py")
TIMEOUT = 60
"""In seconds; an interpreter on a slow disk needs time to start."""


class InterpreterQuery:
    """An interpreter that was started to describe itself.

    Other work can be done until it answers. As a context manager it stops an interpreter that has
    not answered at the end.
    """

    def __init__(self, executable: str | os.PathLike[str]) -> None:
        """Start an interpreter; raises `UnfitError` if that fails."""
        self.executable = os.fspath(executable)
        # By path: a program that is no Python may print its arguments.
        script = ("-I", _FACTS, os.path.dirname(packaging.__file__))
        try:
            self._process = subprocess.Popen(
                [self.executable, *script],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise self._refused(f"cannot be run: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            process.kill()

    @functools.cached_property
    def answer(self) -> Interpreter:
        """How the interpreter describes itself; raises `UnfitError` if it is no Python."""
        try:
            said, complaint = self._process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise self._refused("cannot be run: no answer") from error
        try:
            facts = json.loads(said)
            return Interpreter(
                executable=Path(facts["executable"]),
                base_executable=Path(facts["base_executable"]),
                markers=facts["markers"],
                tags={tag: rank for rank, tag in enumerate(facts["tags"] or _tags_of_old(facts))},
                paths=facts["paths"],
                libc=facts["libc"],
            )
        except (ValueError, KeyError, TypeError) as error:
            lines = complaint.decode(errors="replace").strip().splitlines()
            last = lines[-1] if lines else str(error)
            raise self._refused(f"does not answer like a Python interpreter: {last}") from error

    def _refused(self, why: str) -> UnfitError:
        return UnfitError(
            f"{self.executable} {why}",
            hint="pass --python with the path of a Python interpreter",
        )


def ask(executable: str | os.PathLike[str]) -> Interpreter:
    """Run an interpreter and return how it describes itself.

    Raises `UnfitError` if it cannot be run or is no Python.
    """
    with InterpreterQuery(executable) as question:
        return question.answer


def first_choice(wanted: str | None) -> str:
    """Return the interpreter to try first: the user's `--python`, otherwise the running one.

    `wanted` is a path, a name on PATH, or a version such as `3.12`. Raises `UnfitError` if there
    is none.
    """
    if wanted is None:
        return sys.executable
    path = shutil.which(f"python{wanted}" if wanted[:1].isdigit() else wanted)
    if path is None:
        raise UnfitError(
            f"interpreter {wanted!r} not found",
            hint="pass --python with the full path of one, such as /usr/bin/python3",
        )
    return path


def find(
    wanted: str | None, minors: Sequence[int], first: InterpreterQuery | None = None
) -> Iterator[Interpreter]:
    """Yield the interpreters to try, best first.

    They are the one already queried, the first choice, and, unless the user named one, `python3.N`
    from PATH for each of the minor versions.
    """
    choice = first_choice(wanted)
    if first is not None and first.executable != choice:
        try:
            former = first.answer
        except UnfitError:
            # The user did not name it; the environment was made with it. Others will do.
            former = None
        if former is not None:
            yield former
        first = None
    yield first.answer if first is not None else ask(choice)
    for minor in minors if wanted is None else ():
        path = shutil.which(f"python3.{minor}")
        if path is not None:
            try:
                yield ask(path)
            except UnfitError:
                # Version managers put launchers on PATH even for versions that are not installed.
                continue


def _tags_of_old(facts: Mapping[str, Any]) -> list[str]:
    """Return the tags of a Python before 3.9: its own, for the platforms of the running Python.

    Raises `ValueError` if it is for another kind of platform.
    """
    from packaging import tags

    # Old ones report the libc that they were built for, not the version on this host.
    libc = facts["libc"].partition(" ")[0]
    if (facts["platform"], libc) != (sysconfig.get_platform(), platform.libc_ver()[0]):
        raise ValueError(f"it is for {facts['platform']} {libc}".rstrip())
    version = [int(part) for part in facts["markers"]["python_version"].split(".")]
    platforms = list(tags.platform_tags())
    own = tags.cpython_tags(version, [facts["abi"]], platforms)
    pure = tags.compatible_tags(version, f"cp{version[0]}{version[1]}", platforms)
    return [str(tag) for tag in (*own, *pure)]
