"""Finds the Python that an environment was made with, which an upgrade keeps.

The receipt names it, and whoever can write to an environment can write a receipt: one may come with
a repository and name a program in it. So a Python is started only if this user has chosen it
before, or if it would be tried anyway. Choices are recorded in the user's state folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.system import own_folder
from wheelferry_installer.system.config_folder import state_folder
from wheelferry_schemas.errors import WheelferryError

_FILE_NAME = "pythons"
_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerPython:
    """The interpreter that an environment was made with; `why_not` says why it cannot be kept.

    A `bundled` one came in a bundle and is removed with the environment.
    """

    environment: Path
    path: str
    bundled: bool = False
    why_not: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it may be started to find out whether it fits."""
        return self.why_not is None and not self.bundled

    def farewell(self, successor: Path) -> str | None:
        """Return the line that announces another interpreter, None if it stays the same."""
        if os.fspath(successor) == self.path:
            return None
        reason = self.why_not or "does not fit this bundle"
        if self.bundled:
            reason = "came with a former bundle, and this one brings none that fits"
        return (
            f"{self.environment} was made with {self.path}, which {reason}: it will have "
            f"{successor}"
        )


def former_python(environment: Path) -> FormerPython | None:
    """Return the Python that an environment was made with, None if there is no environment."""
    receipt = read_receipt(environment)
    if receipt is None:
        return None
    path = receipt.interpreter
    if Path(path).is_relative_to(environment):
        return FormerPython(environment=environment, path=path, bundled=True)
    why_not = None
    if "\0" in path or not os.access(path, os.X_OK):
        why_not = "is gone"
    elif not _is_known(path, receipt.python):
        why_not = f"this user has not chosen before (--python {path} keeps it)"
    return FormerPython(environment=environment, path=path, why_not=why_not)


def remember(python: Path) -> None:
    """Record that this user has chosen an interpreter; if that fails, it has to be named again."""
    path = os.fspath(python)
    chosen = _chosen()
    if path in chosen or "\n" in path:
        return
    text = "".join(f"{line}\n" for line in (*chosen, path)[-_MOST:])
    with (
        contextlib.suppress(OSError, WheelferryError, UnicodeEncodeError),
        own_folder.made(state_folder()) as state,
    ):
        state.write(_FILE_NAME, text.encode(), sync=False)


def _is_known(path: str, version: str) -> bool:
    if path in _chosen():
        return True
    minor = ".".join(version.split(".")[:2])
    names = ("python3", f"python{minor}")
    # Compared as text: a link to a Python of this host, beside a pyvenv.cfg, runs code from there.
    return path in (getattr(sys, "_base_executable", None), *map(shutil.which, names))


def _chosen() -> tuple[str, ...]:
    try:
        with own_folder.found(state_folder()) as state:
            return tuple(state.read(_FILE_NAME).decode().splitlines())
    except (OSError, WheelferryError, UnicodeDecodeError):
        return ()
