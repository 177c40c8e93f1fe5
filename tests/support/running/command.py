"""Runs the command line as a user would: as a process of its own, forked from one that is warm.

What decides how an interpreter starts is given to a real one: see `_STARTING`, and `real`.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.running.forking import Server
from wheelferry_bundler.sign import signing_keys

_STARTING = ("PYTHON", "LANG", "LC_", "TZ", "LD_", "OPENSSL_", "MALLOC_")
"""How variables begin that are read before or while modules are loaded."""


def _deciding(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_STARTING)}


_DECIDING = _deciding(os.environ)
_idle: list[Server] = []
"""Servers that do nothing now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


def bundle(
    *arguments: str | Path,
    cwd: Path,
    env: dict[str, str] | None = None,
    prefix: Sequence[str] = (),
    with_key: bool = True,
    real: bool = False,
) -> Ran:
    """Run `bundle` with these arguments in a folder, without a terminal.

    What signs finds a key of the user's own, as after `bundle key new`, unless told otherwise. With
    `real`, an interpreter is started for it.
    """
    if with_key and arguments[0] in ("create", "sign"):
        make_own_key(env or {})
    words = [str(argument) for argument in arguments]
    environment = {**os.environ, **(env or {})}
    start = _start if real or prefix else _fork
    ran = start(words, cwd, environment, prefix)
    assert "Traceback" not in ran.err, ran.err
    return ran


def _start(
    arguments: list[str], cwd: Path, environment: dict[str, str], prefix: Sequence[str]
) -> Ran:
    run = subprocess.run(
        [*prefix, sys.executable, "-m", "wheelferry_installer", *arguments],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Ran(code=run.returncode, out=run.stdout, err=run.stderr)


def _fork(
    arguments: list[str], cwd: Path, environment: dict[str, str], prefix: Sequence[str]
) -> Ran:
    """Have a server run the command; several at once take several servers."""
    if _deciding(environment) != _DECIDING:
        return _start(arguments, cwd, environment, prefix)
    try:
        server = _idle.pop()
    except IndexError:
        server = Server("support.running.command_server")
        atexit.register(server.close)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: f"{folder}/{name}" for name in ("out", "err")}
        request = {"arguments": arguments, "cwd": os.path.abspath(cwd), "env": environment}
        answer = server.ask({**request, **files})
        out, err = (Path(path).read_text(encoding="utf-8") for path in files.values())
    _idle.append(server)
    return Ran(code=answer["code"], out=out, err=err)


def make_own_key(env: Mapping[str, str]) -> None:
    """Make the user's own signing key where there is none, and have this host trust it."""
    folder = Path({**os.environ, **env}["XDG_CONFIG_HOME"]) / "wheelferry"
    if not (folder / signing_keys.KEY_NAME).exists():
        signing_keys.trust_here(folder, signing_keys.new_key(folder / signing_keys.KEY_NAME))


def succeed(
    *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, real: bool = False
) -> Ran:
    """Run `bundle`, which has to end well."""
    ran = bundle(*arguments, cwd=cwd, env=env, real=real)
    assert ran.code == 0, ran.err
    return ran


def tree(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return everything below a folder: kind, mode and content (or target) by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = str(path.relative_to(folder))
        if path.is_symlink():
            found[relative] = ("link", 0, os.readlink(path).encode())
        elif path.is_dir():
            found[relative] = ("folder", path.stat().st_mode, b"")
        else:
            found[relative] = ("file", path.stat().st_mode, path.read_bytes())
    return found
