"""Finds the Python to build with: one like the target's if this host has it, else this one."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelferry_schemas.target import Target

_SECONDS = 30
_FACTS = """
import json, platform, sys, sysconfig
print(json.dumps({
    "executable": sys.executable,
    "version": sys.version_info[:2],
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "implementation": sys.implementation.name,
    "platform": sysconfig.get_platform(),
    "libc": platform.libc_ver(),
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPython:
    """A CPython on this host; `libc` is its C library, such as `("glibc", "2.36")`."""

    path: Path
    version: tuple[int, int]
    free_threaded: bool
    platform: str
    libc: tuple[str, str]

    def is_like(self, target: Target) -> bool:
        """Return whether its version and kind are those of the target's Python."""
        return self.version == target.python and self.free_threaded == _is_free_threaded(target)

    @property
    def identity(self) -> str:
        """The properties that its wheels may depend on."""
        kind = "t" if self.free_threaded else ""
        return f"cp{self.version[0]}.{self.version[1]}{kind} {self.platform} {'-'.join(self.libc)}"


def interpreter_for(target: Target) -> BuildPython:
    """Return a Python like the target's: this one, one from PATH, or else this one anyway."""
    own = this_interpreter()
    if own.is_like(target):
        return own
    return _on_path(command_of(target), os.environ.get("PATH", "")) or own


def this_interpreter() -> BuildPython:
    """Return the Python that runs this."""
    own = _examine(Path(sys.executable))
    assert own is not None
    return own


def command_of(target: Target) -> str:
    """Return the command name of a Python like the target's: `python3.12`."""
    return f"python{target.markers.python_version}{'t' if _is_free_threaded(target) else ''}"


def _is_free_threaded(target: Target) -> bool:
    return target.abis[0].endswith("t")


@functools.cache
def _on_path(command: str, path: str) -> BuildPython | None:
    for candidate in _candidates(command, path):
        found = _examine(candidate)
        if found is not None and command.startswith("python{}.{}".format(*found.version)):
            return found
    return None


def _candidates(command: str, path: str) -> Iterator[Path]:
    for folder in path.split(os.pathsep):
        found = shutil.which(command, path=folder) if folder else None
        if found:
            yield Path(found)


@functools.cache
def _examine(path: Path) -> BuildPython | None:
    """Return the Python that a command runs, None where it is no CPython.

    A version manager's shim chooses by the current folder, so its Python is returned. A wrapper
    that changes what Python reports is kept.
    """
    facts = _ask(path)
    if facts is None or facts["implementation"] != "cpython":
        return None
    executable = Path(facts["executable"] or path)
    behind = executable != path and _ask(executable) == facts
    return BuildPython(
        path=executable if behind else path,
        version=(facts["version"][0], facts["version"][1]),
        free_threaded=facts["free_threaded"],
        platform=facts["platform"],
        libc=(facts["libc"][0], facts["libc"][1]),
    )


def _ask(path: Path) -> dict[str, Any] | None:
    """Return the facts of a Python, None where it does not run."""
    try:
        run = subprocess.run(
            [str(path), "-I", "-c", _FACTS],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        facts: dict[str, Any] = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return facts
