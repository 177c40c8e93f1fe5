"""Source trees and archives with a build backend of their own, which needs nothing to build."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from support.making.wheels import TinyWheel, make_wheel

_BACKEND = """
import os, pathlib, shutil

HERE = pathlib.Path(__file__).parent

def build_wheel(folder, config_settings=None, metadata_directory=None):
    [wheel] = (HERE / "ready").iterdir()
    if "BUILDS" in os.environ:
        with open(os.environ["BUILDS"], "a") as builds:
            builds.write(f"{wheel.name} {config_settings or ''}\\n")
    shutil.copy(wheel, folder)
    return wheel.name
"""


def source_files(
    wheel: TinyWheel,
    *,
    backend: str = _BACKEND,
    project: str = "",
    requires: str = "",
) -> dict[str, bytes]:
    """Return the files of a project that builds as this wheel.

    `project` is added to its table of that name, `requires` to what it needs to build.
    """
    name, version = wheel.file_name.split("-")[:2]
    pyproject = (
        f"[build-system]\nrequires = [{requires}]\nbuild-backend = 'backend'\n"
        f"backend-path = ['.']\n[project]\nname = '{name}'\nversion = '{version}'\n{project}"
    )
    return {
        "pyproject.toml": pyproject.encode(),
        "backend.py": backend.encode(),
        f"ready/{wheel.file_name}": wheel.data,
    }


def make_source(folder: Path, wheel: TinyWheel, **options: str) -> Path:
    """Write such a project; options as for `source_files`."""
    for name, data in source_files(wheel, **options).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def make_sdist(name: str, version: str = "1.0", *, tag: str = "py3-none-any") -> bytes:
    """Return the source archive of a package."""
    wheel = make_wheel(name, version, tag=tag, pure=tag.endswith("-any"))
    files = source_files(wheel)
    files["PKG-INFO"] = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n".encode()
    return pack_source(f"{name}-{version}", files)


def pack_source(folder: str, files: dict[str, bytes]) -> bytes:
    """Return a `.tar.gz` of these files below one folder, always the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(f"{folder}/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    # The time of the gzip header is the only thing that changes.
    data = buffer.getvalue()
    return data[:4] + bytes(4) + data[8:]


def make_repository(folder: Path) -> str:
    """Make a git repository of what is in a folder; returns the commit."""
    environ = {
        **os.environ,
        **{
            f"GIT_{who}_{what}": "tester"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", *arguments], cwd=folder, env=environ, check=True, capture_output=True, text=True
        )
        return run.stdout.strip()

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    return git("rev-parse", "HEAD")
