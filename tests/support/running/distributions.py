"""Our distributions as `make package` builds them, and environments with nothing else of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
OWN = ("wheelferry", "wheelferry-bundler", "wheelferry-installer", "wheelferry-schemas")


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of a user with a home of their own, who knows no checkout."""

    folder: Path
    home: Path

    @property
    def variables(self) -> dict[str, str]:
        """All environment variables of what runs here."""
        return {
            "PATH": f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "UV_CACHE_DIR": str(self.home / "uv-cache"),
            "UV_OFFLINE": "1",
        }

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a command, which has to end well; returns what it printed."""
        ran = subprocess.run(
            command,
            cwd=cwd or self.home,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def bundle(self, *arguments: str | Path, cwd: Path) -> str:
        """Run the command `bundle` of this environment."""
        return self.run(self.folder / "bin/bundle", *arguments, cwd=cwd)


def build(folder: Path) -> None:
    """Build all source archives and, from them, all wheels, with what the tests run with."""
    subprocess.run(
        [
            *(uv.find_uv_bin(), "build", "--quiet", "--all-packages", "--no-build-isolation"),
            *("--offline", "--python", sys.executable, "--out-dir", str(folder)),
        ],
        cwd=ROOT,
        env={**os.environ, "UV_CACHE_DIR": str(folder.parent / "uv-cache")},
        check=True,
    )


def install(name: str, built: Path, folder: Path) -> Environment:
    """Install one of our distributions into an empty environment, as a user does.

    What it depends on is there already: the very files that the tests run with, so that no network
    is asked for them. Of the checkout nothing is there.
    """
    environment = Environment(folder / "environment", folder / "home")
    environment.home.mkdir(parents=True)
    venv.create(environment.folder, symlinks=True)
    _lend(environment.folder, _dependencies(name))
    install_with = (uv.find_uv_bin(), "pip", "install", "--quiet", "--no-index", "--no-build")
    python = ("--python", str(environment.folder / "bin/python"))
    environment.run(*install_with, *python, "--find-links", built, name)
    environment.run(uv.find_uv_bin(), "pip", "check", *python)
    return environment


def _dependencies(name: str) -> set[str]:
    """Return what others made of all that a distribution of ours depends on."""
    # The one at the root is not installed here: it brings the bundler, which brings all.
    waiting = [Requirement("wheelferry-bundler" if name == "wheelferry" else name)]
    seen: set[str] = set()
    while waiting:
        asked = waiting.pop()
        if str(asked) in seen:
            continue
        seen.add(str(asked))
        for line in distribution(asked.name).requires or ():
            needed = Requirement(line)
            extras = ("", *asked.extras)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(needed)
    return {str(canonicalize_name(Requirement(line).name)) for line in seen} - set(OWN)


def _lend(environment: Path, names: set[str]) -> None:
    """Put distributions of this environment into another one, file by file."""
    ours = Path(sys.prefix)
    for name in names:
        for file in _files(name):
            place = environment / file.relative_to(ours)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)


def _files(name: str) -> Iterator[Path]:
    found = distribution(name)
    for file in found.files or ():
        path = Path(os.path.normpath(str(found.locate_file(file))))
        # Other scripts would run in the environment that they were installed into.
        if "__pycache__" not in path.parts and (path.parent.name != "bin" or path.name == "uv"):
            yield path
