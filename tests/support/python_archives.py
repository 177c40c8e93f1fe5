"""Archives of interpreters: the one that runs the tests, and small wrong ones."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import os
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from pathlib import Path

import zstandard

from wheelferry_bundler.python_archives import PythonFile
from wheelferry_schemas.manifest import PythonArchive

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


def described(path: Path, *targets: str) -> PythonFile:
    """Return what the manifest is to say of an archive, whatever it holds."""
    data = path.read_bytes()
    archive = PythonArchive(
        name=path.name, sha256=hashlib.sha256(data).hexdigest(), size=len(data), targets=targets
    )
    return PythonFile(path=path, archive=archive)
