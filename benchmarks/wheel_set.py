"""Makes the wheels that the benchmark works with: a locked project, and the bundle of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SETS = {
    "full": (
        *("aiohttp", "cryptography", "django", "duckdb", "jupyterlab", "lxml", "matplotlib"),
        *("numba", "numpy", "opencv-python-headless", "pandas", "polars", "pyarrow", "pydantic"),
        *("scikit-learn", "scipy", "sqlalchemy", "sympy"),
    ),
    "pure": (
        *("celery", "fastapi", "flask-sqlalchemy", "ipython", "jupyterlab", "mkdocs", "nox"),
        *("pytest-asyncio", "pytest-cov", "pytest-xdist", "sphinx", "tox", "tqdm", "typer"),
    ),
    "quick": ("click", "httpx", "pydantic"),
    "one": ("idna",),
}
"""What each set is made of; `pure` is many small wheels, nearly all of Python alone."""
PROGRAMS = Path(sys.prefix) / "bin"
PYTHON = "{}.{}.{}".format(*sys.version_info)
_AS_OF = "2026-06-01T00:00:00Z"
"""What was published later is not taken, so that figures of different days can be compared."""
_PROJECT = """\
[project]
name = "wheel-set"
version = "1"
requires-python = "=={python}.*"
dependencies = {dependencies}

[tool.uv]
package = false
exclude-newer = "{as_of}"
environments = ["sys_platform == '{platform}' and platform_machine == '{machine}'"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelSet:
    """A locked project, its bundle, and what plain tar makes of that.

    `pins` is a requirements file with `name==version` for every wheel; `size` is the sum of the
    wheels in bytes.
    """

    project: Path
    bundle: Path
    unpacked: Path
    pins: Path
    count: int
    size: int

    @property
    def wheels(self) -> Path:
        """The folder of wheels."""
        return self.unpacked / "wheels"


def make_own_key(environment: Mapping[str, str]) -> None:
    """Make the key that bundles are signed with, unless an earlier run has."""
    if not (Path(environment["XDG_CONFIG_HOME"]) / "wheelferry/signing_key").exists():
        command = (PROGRAMS / "bundle", "key", "new")
        subprocess.run(command, env=environment, check=True, capture_output=True)


def make(folder: Path, requirements: Sequence[str], environment: Mapping[str, str]) -> WheelSet:
    """Lock these requirements, once; bundle them with this tree's wheelferry, each time."""
    project = folder / "project"
    project.mkdir(parents=True, exist_ok=True)
    _lock(project, requirements, environment)
    make_own_key(environment)
    bundle = folder / "bundle.tar.zst"
    command: Sequence[str | Path] = (
        *(PROGRAMS / "bundle", "create", project, "--python", PYTHON, "-o", bundle),
        *("--force", "--quiet", "--json"),
    )
    run = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    packages = json.loads(run.stdout)["manifest"]["packages"]
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", bundle, "-C", unpacked], check=True)
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{p['name']}=={p['version']}\n" for p in packages), encoding="utf-8")
    return WheelSet(
        project=project,
        bundle=bundle,
        unpacked=unpacked,
        pins=pins,
        count=len(packages),
        size=sum(package["size"] for package in packages),
    )


def _lock(project: Path, requirements: Sequence[str], environment: Mapping[str, str]) -> None:
    text = _PROJECT.format(
        python="{}.{}".format(*sys.version_info),
        dependencies=json.dumps(requirements),
        as_of=_AS_OF,
        platform=sys.platform,
        machine=os.uname().machine,
    )
    path = project / "pyproject.toml"
    lock = project / "uv.lock"
    if lock.exists() and path.exists() and path.read_text(encoding="utf-8") == text:
        return
    lock.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    command: Sequence[str | Path] = (
        *(PROGRAMS / "uv", "lock", "--quiet"),
        *("--python", sys.executable, "--project", project),
    )
    subprocess.run(command, env=environment, check=True)
