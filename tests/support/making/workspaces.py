"""A workspace with sources of all kinds, locked by uv, and the package that builds them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import uv

from support.making.sources import make_repository, make_source
from support.making.wheels import make_wheel
from support.running.index import LocalIndex

_BUILDER = b"""
import base64, hashlib, os, pathlib, shutil, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    [wheel] = pathlib.Path("ready").iterdir()
    shutil.copy(wheel, folder)
    return wheel.name

def build_editable(folder, config_settings=None, metadata_directory=None):
    [wheel] = pathlib.Path("ready").iterdir()
    name, version = wheel.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.pth": os.getcwd().encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = f"{info}/RECORD,,\\n"
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows += f"{path},sha256={digest},{len(data)}\\n"
    files[f"{info}/RECORD"] = rows.encode()
    with zipfile.ZipFile(os.path.join(folder, wheel.name), "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return wheel.name
"""
_ROOT = """
dependencies = ["pure", "lib", "gitlib", "pathlib2"]
requires-python = ">=3.8"
[project.optional-dependencies]
plot = ["plotter"]
[dependency-groups]
dev = ["tester", "windows ; sys_platform == 'win32'"]
docs = ["writer"]
[tool.uv]
find-links = ["./not-over-there"]
[tool.uv.workspace]
members = ["libs/*"]
[tool.uv.sources]
lib = { workspace = true }
pathlib2 = { path = "vendor/pathlib2" }
gitlib = { git = "file://%s" }
"""
NAMES = frozenset({"demo", "pure", "lib", "gitlib", "pathlib2", "deep"})
"""What is installed of the workspace without extras and groups, each in version 1.0."""


def make_workspace(folder: Path, index: LocalIndex) -> Path:
    """Make the project `demo` in `folder`; `index` has to be uv's default index.

    It has a member `lib`, a dependency from git and one from a folder, all built with `builder`,
    an extra `plot` and groups `dev` and `docs`. Its module is another one than in its wheel.
    """
    names = ("pure", "tester", "windows", "plotter", "writer", "deep")
    index.add(*map(make_wheel, names), make_wheel("builder", files={"builder.py": _BUILDER}))
    gitlib = folder.with_name("gitlib")
    _write_source(folder / "vendor/pathlib2", "pathlib2", "dependencies = ['deep']\n")
    make_repository(_write_source(gitlib, "gitlib"))
    _write_source(folder, "demo", _ROOT % gitlib)
    _write_source(folder / "libs/lib", "lib")
    (folder / "not-over-there").mkdir()
    (folder / "demo.py").write_text("NAME = 'as it lies there'\n", encoding="utf-8")
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet"], cwd=folder, check=True)
    return folder


def _write_source(folder: Path, name: str, project: str = "") -> Path:
    """Write a project that the package `builder` builds."""
    make_source(folder, make_wheel(name), project=project)
    pyproject = (folder / "pyproject.toml").read_text(encoding="utf-8")
    pyproject = pyproject.replace("requires = []", "requires = ['builder']")
    pyproject = pyproject.replace("'backend'\nbackend-path = ['.']", "'builder'")
    (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    (folder / "backend.py").unlink()
    return folder
