"""Runs `pip wheel` to build one wheel in isolation; the log of a failing build is kept."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from wheelferry_bundler.build.build_python import BuildPython
from wheelferry_bundler.fetch.logins import Logins
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.urls import redacted
from wheelferry_schemas.errors import BuildError

_SHOWN_LINES = 20
_EPOCH = "315532800"
"""1980-01-01, the first day that a ZIP archive can state."""
_LAUNCHER = Path(__file__).with_name("pip_without_logins.py")


def pip_wheel(
    what: str,
    arguments: Sequence[str],
    interpreter: BuildPython,
    locations: Locations,
    log: Path,
) -> None:
    """Run `pip wheel` with these arguments, for the given Python.

    Build requirements are looked for in `locations`. The log is written to `log` and removed on
    success. Raises `BuildError` with the message `what` and the last lines of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # Isolated, so that a pip.py in the current folder does not run instead. Build requirements are
    # installed in the same process: another one would get the indexes on its command line.
    command = [
        *(str(interpreter.path), "-I", "-B", str(_LAUNCHER)),
        str(distribution("pip").locate_file("pip")),
        *(
            "wheel",
            "--use-feature=inprocess-build-deps",
            "--no-deps",
            "--no-cache-dir",
            "--disable-pip-version-check",
            "--no-input",
        ),
        *("--progress-bar", "off", *arguments),
    ]
    last: deque[str] = deque(maxlen=_SHOWN_LINES)
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=_environment(locations),
        ) as process,
    ):
        assert process.stdout is not None
        for raw in process.stdout:
            line = redacted(raw)
            output.write(line)
            last.append(line.rstrip("\n"))
    if process.returncode != 0:
        raise BuildError(what, details=tuple(last), hint=f"the whole log is in {log}")
    # Another run may have built the same package and removed the log.
    log.unlink(missing_ok=True)


def _environment(locations: Locations) -> dict[str, str]:
    """Return the environment of a build, which contains the indexes: other users cannot read it."""
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
        # Backends write this time into wheels, so that the same source gives the same bytes.
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", _EPOCH),
        # git would prompt on the terminal, although standard input is closed.
        "GIT_TERMINAL_PROMPT": os.environ.get("GIT_TERMINAL_PROMPT", "0"),
    }
    if locations.folders:
        # As URLs, since a path may contain a space.
        folders = (folder.path.resolve().as_uri() for folder in locations.folders)
        known = environment.get("PIP_FIND_LINKS", "")
        environment["PIP_FIND_LINKS"] = f"{' '.join(folders)} {known}".rstrip()
    logins = Logins(locations.indexes)
    if locations.mirrors:
        first, *others = map(logins.added_to, locations.mirrors)
        environment["PIP_INDEX_URL"] = first
        environment["PIP_EXTRA_INDEX_URL"] = " ".join(others)
    elif "PIP_INDEX_URL" not in environment:
        # An index that replaces PyPI for uv applies to build requirements too.
        default = next((index.url for index in locations.indexes if index.default), None)
        if default is not None:
            environment["PIP_INDEX_URL"] = logins.added_to(default)
    return environment
