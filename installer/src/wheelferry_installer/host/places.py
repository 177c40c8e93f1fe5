"""Describes the trees that `--into`, `--target` and `--prefix` install into."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.host.interpreter_search import TIMEOUT, ask
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.errors import ConflictError, UnfitError, UsageError

CONTROL = ".wheelferry"
"""The folder in a place that holds lock, journal and receipts."""
_SCHEMES = ("purelib", "platlib", "scripts", "data")
_LIBRARY = re.compile(r"lib(64)?/(python[0-9.]*/)?(site|dist)-packages", re.IGNORECASE)
_PYTHONS = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A tree that other tools write to as well.

    `schemes` maps purelib, platlib, scripts and data to folders relative to `root`, as are
    `headers` and `receipts`, the folder for the receipt. Scripts run with `interpreter`. `lasting`
    folders are never removed. `unsearched` are library folders that the interpreter does not
    search, `searched` are others below `root` that it does.
    """

    root: Path
    schemes: Mapping[str, str]
    headers: str
    interpreter: Path
    receipts: str
    lasting: frozenset[str] = frozenset({"."})
    unsearched: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()

    @property
    def libraries(self) -> tuple[str, ...]:
        """The folders that contain distributions."""
        return tuple(dict.fromkeys((self.schemes["purelib"], self.schemes["platlib"])))


def into(environment: Path) -> tuple[Place, Interpreter]:
    """Return an environment as a place, and its interpreter.

    `environment` is its folder, or the path of its interpreter. Raises `UsageError` if it is no
    environment, and `ConflictError` if wheelferry or the operating system manages it.
    """
    python = _python_of(environment)
    interpreter = ask(python)
    facts = _facts(interpreter.executable)
    prefix = Path(facts["prefix"])
    if read_receipt(prefix) is not None:
        raise ConflictError(
            f"{prefix} is an environment that wheelferry manages as a whole",
            hint="install into it with --venv, which replaces it as a whole",
        )
    _refuse_managed(prefix, facts)
    root = Path(os.path.realpath(facts["data"]))
    schemes = {name: _relative(facts[name], root) for name in _SCHEMES}
    headers = _relative(facts["headers"], root)
    place = Place(
        root=root,
        schemes=schemes,
        headers=headers,
        interpreter=interpreter.executable,
        receipts=_receipts(interpreter),
        lasting=_lasting(schemes),
    )
    return place, interpreter


def target(folder: Path, interpreter: Path) -> Place:
    """Return a folder of modules, to be put on a path, as a place."""
    return Place(
        root=Path(os.path.realpath(folder)),
        schemes={"purelib": ".", "platlib": ".", "scripts": "bin", "data": "."},
        headers="include",
        interpreter=interpreter,
        receipts=f"{CONTROL}/target",
    )


def prefix(folder: Path, python: Interpreter, interpreter: Path) -> Place:
    """Return a folder with the layout of an interpreter's prefix as a place.

    If `folder` is where `interpreter` itself looks for additions, the interpreter's own layout is
    used: Debian's in `/usr/local` differs from that of an environment. Raises `ConflictError` if
    the operating system manages it.
    """
    root = Path(os.path.realpath(folder))
    facts = _facts(interpreter)
    if os.path.realpath(facts["prefix"]) == os.fspath(root):
        _refuse_managed(root, facts)
    its_own = os.path.realpath(facts["data"]) == os.fspath(root)
    paths = {name: facts[name] for name in _SCHEMES} if its_own else python.paths
    schemes = {name: _relative(os.path.join(root, path), root) for name, path in paths.items()}
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    searched = {os.path.realpath(path) for path in (*facts["searched"], *filter(None, named))}
    place = Place(
        root=root,
        schemes=schemes,
        headers=f"include/python{python.markers['python_version']}",
        interpreter=interpreter,
        receipts=_receipts(python),
        lasting=_lasting(schemes) if its_own else frozenset({"."}),
    )
    return replace(
        place,
        unsearched=tuple(
            path
            for path in (os.path.realpath(root / library) for library in place.libraries)
            if path not in searched
        ),
        searched=tuple(
            path
            for path in sorted(searched)
            if _LIBRARY.fullmatch(os.path.relpath(path, root).replace(os.sep, "/"))
        ),
    )


def _receipts(interpreter: Interpreter) -> str:
    # Pythons of several versions may share a prefix.
    return f"{CONTROL}/python{interpreter.markers['python_version']}"


def _python_of(environment: Path) -> Path:
    if environment.is_file():
        return Path(os.path.abspath(environment))
    for name in _PYTHONS:
        if (environment / name).exists():
            return Path(os.path.abspath(environment / name))
    raise UsageError(
        f"{environment} has no Python interpreter",
        hint="name the folder of an environment, or the path of its interpreter",
    )


def _refuse_managed(prefix: Path, facts: Mapping[str, Any]) -> None:
    if facts["externally_managed"]:
        raise ConflictError(
            f"{prefix} is managed by the operating system",
            hint="leave it to the system's own packages, and make an environment with --venv",
        )


def _lasting(schemes: Mapping[str, str]) -> frozenset[str]:
    return frozenset(
        os.fspath(folder)
        for scheme in schemes.values()
        for folder in (PurePosixPath(scheme), *PurePosixPath(scheme).parents)
    )


def _facts(executable: Path) -> dict[str, Any]:
    script = (files("wheelferry_installer.foreign") / "place_facts.py").read_text(encoding="utf-8")
    run = subprocess.run(
        [os.fspath(executable), "-I", "-c", script],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=TIMEOUT,
    )
    try:
        facts: dict[str, Any] = json.loads(run.stdout)
    except ValueError as error:
        raise UnfitError(
            f"{executable} does not say where its packages are",
            hint="name another Python with --python",
        ) from error
    return facts


def _relative(path: str, root: Path) -> str:
    """Return a folder relative to `root`, with links resolved: lib64 may be a link to lib."""
    relative = os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")
    if relative == ".." or relative.startswith("../") or os.path.isabs(relative):
        raise ConflictError(
            f"{path} is not below {root}",
            hint="an environment that is spread over several trees cannot be changed in one step",
        )
    return relative
