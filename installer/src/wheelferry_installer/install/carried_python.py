"""Unpacks the Python that a bundle carries.

It is kept in the environment that is made from it, in a folder that no wheel may write to. So both
are installed in one step, and `bundle rollback` takes both back.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from wheelferry_installer.host import interpreter_search
from wheelferry_installer.plan.carried_fit import EXECUTABLE
from wheelferry_installer.plan.fitting import Fit, misfits
from wheelferry_installer.system import disk
from wheelferry_installer.verify.python_entries import read_entries_of, read_python
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import PythonArchive
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.python_tree import PythonTree
from wheelferry_schemas.receipt import InstalledFile
from wheelferry_schemas.tar.tar_headers import TarEntry

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


def ask_bundled(fit: Fit, unpacked: Path) -> Fit:
    """Return the fit as the unpacked Python describes itself; raises `UnfitError`."""
    said = interpreter_search.ask(unpacked / EXECUTABLE)
    problems = misfits(fit.target, fit.packages, said)
    if problems:
        raise UnfitError(
            "the Python in the bundle is not what the manifest says",
            details=problems,
            hint="ask whoever made the bundle, or pass --python",
        )
    final = fit.interpreter.executable
    return replace(fit, interpreter=replace(said, executable=final, base_executable=final))


def executable_in(unpacked: Path) -> Path:
    """Return the interpreter in a folder that `unpack` filled."""
    return unpacked / EXECUTABLE


def unpack(
    bundle: VerifiedBundle, archive: PythonArchive, folder: Path, environment: Path
) -> tuple[InstalledFile, ...]:
    """Unpack an archive whose hash is checked first; returns its files, relative to `environment`.

    Raises `MalformedError` if the archive breaks a rule; then nothing was unpacked.
    """
    name = layout.python_name(archive.name)
    member = next(member for member in bundle.members if member.name == name)
    with tempfile.TemporaryFile(dir=environment) as spool:
        bundle.read(member, spool.write)
        tree = read_python(spool, archive.name, folds_case=sys.platform != "linux")
        disk.require_room(environment, tree.size)
        contents = read_entries_of(spool, archive.name)
        return tuple(_extract(contents, tree, folder, environment))


def _extract(
    contents: Iterator[tuple[TarEntry, Iterator[bytes]]],
    tree: PythonTree,
    folder: Path,
    environment: Path,
) -> Iterator[InstalledFile]:
    """Write the members of a tree; yields all files but compiled modules, which Python changes."""
    places = {entry.name: folder / path for path, entry in tree.members.items()}
    for entry, content in contents:
        path = places.get(entry.name)
        if path is None:
            continue
        (path if entry.kind == "folder" else path.parent).mkdir(parents=True, exist_ok=True)
        if entry.kind == "link":
            os.symlink(entry.target, path)
        elif entry.kind == "file":
            sha256 = _write(entry, content, path)
            if "__pycache__" not in path.parts:
                yield InstalledFile(path=path.relative_to(environment).as_posix(), sha256=sha256)


def _write(entry: TarEntry, content: Iterator[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    with open(os.open(path, _NEW, 0o755 if entry.mode & 0o111 else 0o644), "wb") as file:
        for piece in content:
            digest.update(piece)
            file.write(piece)
        file.flush()
        # Compiled modules record the time of their sources.
        os.utime(file.fileno(), (entry.time, entry.time))
    return digest.hexdigest()
