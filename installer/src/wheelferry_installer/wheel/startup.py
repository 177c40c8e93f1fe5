"""Finds the files of a wheel that Python runs each time it starts.

Such files are allowed: debuggers and coverage need them. Whoever approves an installation should
see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_STARTUP = re.compile(r"[^/]+\.(pth|start)|(site|user)customize(/__init__)?\.[^/]+", re.DOTALL)
_LIBRARIES = re.compile(r"[^/]+\.data/(purelib|platlib|data/(.+/)?[^/]+-packages)/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StartupFile:
    """A file that Python will run, and the wheel that contains it."""

    wheel: str
    path: str


def startup_files(wheel: str, paths: Iterable[str]) -> list[StartupFile]:
    """Return those of a wheel's paths that Python will run from site-packages."""
    return [
        StartupFile(wheel, path)
        for path in paths
        if _STARTUP.fullmatch(_LIBRARIES.sub("", path, count=1))
    ]
