"""Archives of interpreters: the one that runs the tests, and small wrong ones."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import zstandard

from wheelferry_bundler.fetch.python_archives import PythonFile
from wheelferry_schemas.bundle.manifest import PythonArchive

_UNNEEDED = {
    *("test", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data", "unittest", "turtledemo"),
    *("site-packages", "dist-packages", "__pycache__"),
}
NAME = "python.tar.gz"


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(data), link, mode
    return info, data


def interpreter(
    name: str = "bin/python3", text: str = "#!/bin/sh\n"
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member that could be an interpreter."""
    return member(name, text.encode(), mode=0o755)


def odd() -> tuple[tarfile.TarInfo, bytes]:
    """Return a member with a number in its PAX header that is none."""
    info, data = member("odd")
    info.pax_headers = {"GNU.sparse.size": "x"}
    return info, data


def tar_of(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Return an archive of these members, not compressed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def write(path: Path, tar: bytes) -> Path:
    """Write an archive, compressed as its name says."""
    packed = zstandard.compress(tar, 1) if path.suffix == ".zst" else gzip.compress(tar, 1, mtime=0)
    path.write_bytes(packed)
    return path


@functools.cache
def own_tar() -> bytes:
    """Return the interpreter that runs this as python-build-standalone lays it out, as a tar."""
    version = f"python3.{sys.version_info.minor}"
    library = Path(sysconfig.get_path("stdlib"))
    buffer = io.BytesIO()

    def needed(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = info.name.split("/")
        if _UNNEEDED.intersection(parts) or parts[-1].startswith("config-"):
            return None
        info.uid = info.gid = 0
        return info

    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar:
        tar.add(os.path.realpath(sys.executable), f"python/bin/{version}")
        tar.addfile(member("python/bin/python3", kind=tarfile.SYMTYPE, link=version)[0])
        tar.add(library, f"python/lib/{version}", filter=needed)
    return buffer.getvalue()


@functools.cache
def few_files_tar() -> bytes:
    """Return the interpreter that runs this in as few files as it runs with, as a tar.

    It takes its library from one ZIP file, and looks for `os.py` to know that it is at home.
    """
    version = f"python3.{sys.version_info.minor}"
    library = Path(sysconfig.get_path("stdlib"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar:
        tar.add(os.path.realpath(sys.executable), f"python/bin/{version}")
        tar.addfile(member("python/bin/python3", kind=tarfile.SYMTYPE, link=version)[0])
        tar.add(library / "os.py", f"python/lib/{version}/os.py")
        for extension in _loaded_extensions():
            tar.add(extension, f"python/lib/{version}/lib-dynload/{extension.name}")
        zipped = _zipped(library)
        info, _ = member(f"python/lib/python3{sys.version_info.minor}.zip", zipped)
        tar.addfile(info, io.BytesIO(zipped))
    return buffer.getvalue()


def _loaded_extensions() -> list[Path]:
    """Return the compiled modules that are loaded where an environment is made."""
    modules = "bz2, json, lzma, math, platform, random, shutil, struct, sysconfig, venv, zlib"
    script = f"import sys, {modules}\nfor m in sys.modules.values(): print(vars(m).get('__file__'))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    paths = [Path(line) for line in run.stdout.splitlines()]
    return sorted(path for path in paths if path.parent.name == "lib-dynload")


def _zipped(library: Path) -> bytes:
    """Return the modules of the library as a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(library.rglob("*.py")):
            relative = path.relative_to(library)
            if _UNNEEDED.isdisjoint(relative.parts):
                archive.writestr(zipfile.ZipInfo(relative.as_posix()), path.read_bytes())
    return buffer.getvalue()


def described(path: Path, *targets: str) -> PythonFile:
    """Return what the manifest is to say of an archive, whatever it holds."""
    data = path.read_bytes()
    archive = PythonArchive(
        name=path.name, sha256=hashlib.sha256(data).hexdigest(), size=len(data), targets=targets
    )
    return PythonFile(path=path, archive=archive)
