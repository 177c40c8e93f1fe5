"""Runs the command line as a user would: as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelferry_bundler.sign import signing_keys


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
) -> Ran:
    """Run `bundle` with these arguments in a folder, without a terminal.

    What signs finds a key of the user's own, as after `bundle key new`, unless told otherwise.
    """
    if with_key and arguments[0] in ("create", "sign"):
        make_own_key(env or {})
    run = subprocess.run(
        [*prefix, sys.executable, "-m", "wheelferry_installer", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return Ran(code=run.returncode, out=run.stdout, err=run.stderr)


def make_own_key(env: Mapping[str, str]) -> None:
    """Make the user's own signing key where there is none, and have this host trust it."""
    folder = Path({**os.environ, **env}["XDG_CONFIG_HOME"]) / "wheelferry"
    if not (folder / signing_keys.KEY_NAME).exists():
        signing_keys.trust_here(folder, signing_keys.new_key(folder / signing_keys.KEY_NAME))


def succeed(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Ran:
    """Run `bundle`, which has to end well."""
    ran = bundle(*arguments, cwd=cwd, env=env)
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
