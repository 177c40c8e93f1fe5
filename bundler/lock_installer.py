"""Writes what the installer needs, for files that install themselves; `--check` compares.

It is a part of `requirements-dev.txt`: the same versions and hashes that the tests run with.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parent
DEVELOPMENT = FOLDER.parent / "requirements-dev.txt"
LOCK = FOLDER / "src/wheelferry_bundler/carry/installer-requirements.txt"
MEMBERS = {
    "wheelferry-installer": "installer/pyproject.toml",
    "wheelferry-schemas": "schemas/pyproject.toml",
}
UNNEEDED = {"pycparser"}
"""cffi compiles with it; here it only loads what was compiled."""


def needed() -> dict[str, set[str]]:
    """Return what the installer depends on, each with the markers under which it is asked for."""
    found: dict[str, set[str]] = {}
    waiting = list(MEMBERS)
    while waiting:
        for requirement in map(Requirement, _requires(waiting.pop())):
            marker = str(requirement.marker or "")
            name = canonicalize_name(requirement.name)
            if "extra ==" in marker or name in UNNEEDED:
                continue
            if name not in found and name not in MEMBERS:
                waiting.append(name)
            found.setdefault(name, set()).add(marker)
    return {name: markers for name, markers in found.items() if not name.startswith("wheelferry")}


def _requires(name: str) -> list[str]:
    if name in MEMBERS:
        project = tomli.loads((FOLDER.parent / MEMBERS[name]).read_text(encoding="utf-8"))
        return list(project["project"]["dependencies"])
    try:
        return requires(name) or []
    except PackageNotFoundError:
        # What only other systems need is not here; it needs nothing itself.
        return []


def text() -> str:
    """Return the lock: one block for each name that is locked for development."""
    wanted = needed()
    blocks = re.split(r"\n(?=[a-z0-9])", DEVELOPMENT.read_text(encoding="utf-8").strip())
    lock = ""
    for block in blocks:
        pin, newline, hashes = block.partition(" \\\n")
        markers = wanted.get(pin.partition("==")[0])
        if markers is not None:
            if ";" not in pin and "" not in markers:
                pin += " ; " + " or ".join(f"({marker})" for marker in sorted(markers))
            lock += f"{pin}{newline}{hashes}\n"
    return lock


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if LOCK.read_text(encoding="utf-8") != text():
            sys.exit(f"{LOCK.name} is out of date: make installer-lock")
    else:
        LOCK.write_text(text(), encoding="utf-8")
