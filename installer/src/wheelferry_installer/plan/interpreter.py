"""The value that describes a Python interpreter: its version, tags and folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter as it describes itself.

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
        """The interpreter in a few words."""
        libc = f", {self.libc}" if self.libc else ""
        version = self.markers["python_full_version"]
        name = self.markers["platform_python_implementation"]
        return f"{name} {version} on {self.markers['platform_machine']}{libc}"
