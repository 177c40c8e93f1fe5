"""Writes the files of wheels below a staging folder, as the `installer` library asks for.

Files are created, never replaced. If a file already exists, or is in the place of a folder, the
path and the hash of what should be written there are kept in `contested`, for the caller to judge
when all wheels are written: wheels are installed in parallel, and the other file may not be
complete yet.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from installer.destinations import WheelDestination
from installer.records import Hash, RecordEntry
from installer.scripts import Script
from installer.utils import Scheme, construct_record_file

from wheelferry_installer.system import disk
from wheelferry_installer.system.digests import stream_digest
from wheelferry_installer.wheel.record import spell
from wheelferry_schemas.errors import MalformedError

if TYPE_CHECKING:
    # The library defines these for type checkers only.
    from installer.scripts import LauncherKind, ScriptSection

_CHUNK = 2**18
_LIBRARIES = ("purelib", "platlib")
_PYTHON = b"#!python"
_LARGEST_SCRIPT = 2**24
_LONGEST_SHEBANG = 127
"""What every kernel takes, the line break included; Linux takes 255 bytes from version 5.1 on."""
_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)


class StagingDestination(WheelDestination):
    """Where one wheel goes.

    `schemes` maps scheme names to folders relative to `staging`; `interpreter` is the path of the
    environment's interpreter at its final place; `hashes` are the rows of the wheel's RECORD. With
    `flushed` writing to disk begins at once, since all is flushed in the end. `written` holds the
    paths of all files relative to `staging`, `contested` those that another wheel's files are in
    the way of, with the sha256 of this wheel's content. `record` is the path of the RECORD that was
    written, and its sha256.
    """

    def __init__(
        self,
        staging: Path,
        schemes: Mapping[str, str],
        interpreter: str,
        launcher: LauncherKind,
        hashes: Mapping[str, tuple[str, str]],
        *,
        flushed: bool = False,
    ) -> None:
        self._staging = os.fspath(staging)
        self._schemes = schemes
        self._interpreter = interpreter
        self._launcher: LauncherKind = launcher
        self._hashes = hashes
        self._flushed = flushed
        self._folders: set[str] = set()
        self.written: list[str] = []
        self.contested: dict[str, str] = {}
        self.record: tuple[str, str] | None = None

    def write_script(
        self, name: str, module: str, attr: str, section: ScriptSection
    ) -> RecordEntry:
        """Write the launcher of an entry point."""
        script = Script(name, module, attr, section)
        file_name, data = script.generate(self._interpreter, self._launcher)
        self._write("scripts", file_name, BytesIO(data), executable=True)
        return _entry(file_name, BytesIO(data))

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Write a file of the wheel; scripts get the environment's interpreter."""
        name = os.fspath(path)
        if scheme == "scripts":
            stream = _started_by(self._interpreter, name, stream)
            self._write(scheme, name, stream, executable=True)
            return _entry(name, stream)
        self._write(scheme, name, stream, executable=is_executable)
        digest, size = self._hashes.get(name, ("", "")) if scheme in _LIBRARIES else ("", "")
        if digest and size:
            # The source compares the content with this hash.
            return RecordEntry(name, Hash.parse(digest), int(size))
        return _entry(name, stream)

    def finalize_installation(
        self,
        scheme: Scheme,
        record_file_path: str,
        records: Iterable[tuple[Scheme, RecordEntry]],
    ) -> None:
        """Write RECORD, with the paths of all files relative to the folder of .dist-info."""
        prefixes = {
            other: _prefix(folder, self._schemes[scheme]) for other, folder in self._schemes.items()
        }
        with construct_record_file(list(records), prefixes.get) as stream:
            self._write(scheme, record_file_path, stream, executable=False)
            self.record = (self._relative(scheme, record_file_path), stream_digest(stream).hex())

    def _relative(self, scheme: str, name: str) -> str:
        folder = self._schemes[scheme]
        return name if folder == "." else f"{folder}/{name}"

    def _write(self, scheme: str, name: str, stream: BinaryIO, *, executable: bool) -> None:
        relative = self._relative(scheme, name)
        path = f"{self._staging}/{relative}"
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            try:
                os.makedirs(folder, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                self.contested[relative] = stream_digest(stream).hex()
                return
            self._folders.add(folder)
        try:
            descriptor = os.open(path, _FLAGS, 0o777 if executable else 0o666)
        except FileExistsError:
            self.contested[relative] = stream_digest(stream).hex()
            return
        try:
            if isinstance(stream, BytesIO):
                self._write_out(descriptor, stream.getvalue())
            else:
                while chunk := stream.read(_CHUNK):
                    self._write_out(descriptor, chunk)
        finally:
            os.close(descriptor)
        self.written.append(relative)

    def _write_out(self, descriptor: int, data: bytes) -> None:
        _write_all(descriptor, data)
        if self._flushed and len(data) >= _CHUNK:
            disk.begin_flush(descriptor)


def _prefix(folder: str, base: str) -> str | None:
    """Return the relative path from one folder to another, as a prefix."""
    relative = os.path.relpath(folder, base).replace(os.sep, "/")
    return None if relative == "." else f"{relative}/"


def _started_by(interpreter: str, name: str, stream: BinaryIO) -> BinaryIO:
    """Return a script with its `#!python`, if it has one, replaced by the interpreter's path.

    Kernels cut that path at a space. Then `/bin/sh` starts the interpreter: it reads the second
    line as a command, Python reads lines two and three as a string.
    """
    begins = stream.read(len(_PYTHON))
    stream.seek(0)
    if begins != _PYTHON:
        # Such a script may be a program of any size.
        return stream
    script = stream.read(_LARGEST_SCRIPT + 1)
    if len(script) > _LARGEST_SCRIPT:
        raise MalformedError(f"script {name!r} is larger than {_LARGEST_SCRIPT} bytes")
    shebang = b"#!" + os.fsencode(interpreter) + b"\n"
    if os.name != "nt" and (len(shebang) > _LONGEST_SHEBANG or len(shebang.split()) > 1):
        path = os.fsencode(shlex.quote(interpreter))
        shebang = b"#!/bin/sh\n'''exec' " + path + b' "$0" "$@"\n' + b"' '''\n"
    return BytesIO(shebang + script.partition(b"\n")[2])


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


def _entry(name: str, stream: BinaryIO) -> RecordEntry:
    return RecordEntry(name, Hash.parse(spell("sha256", stream_digest(stream))), stream.tell())
