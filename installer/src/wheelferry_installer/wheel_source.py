"""A verified wheel as the `installer` library reads it, with the checks that it leaves to us.

All of these are made when the source is opened, before anything is written:

- the archive: no encryption, no methods but stored and deflated, no links, no name twice;
- names: relative, without `..`, backslashes, drive letters and control characters;
- exactly one `.dist-info`, that of the wheel's file name;
- RECORD lists exactly the files that are there, each with a hash that is not a weak one;
- `.data` holds only the folders that the wheel format knows, and scripts have names of scripts.
"""

from __future__ import annotations

import posixpath
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from io import BytesIO
from typing import BinaryIO

from installer.records import InvalidRecordEntry, parse_record_file
from installer.sources import WheelContentElement, WheelSource
from installer.utils import SCHEME_NAMES
from packaging.utils import InvalidName, canonicalize_name, canonicalize_version

from wheelferry_schemas.errors import MalformedError

MAX_FILES = 1_000_000
MAX_UNPACKED = 64 * 2**30
STREAMED_FROM = 16 * 2**20
"""Files from this size on are inflated piece by piece, so that memory stays flat."""
_MAX_METADATA = 16 * 2**20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_STRONG_HASH = re.compile(r"sha(256|384|512)=[A-Za-z0-9_-]+")
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:")
_SCRIPT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")
_OBJECT_REFERENCE = re.compile(r"[\w.]+\s*:\s*[\w.]+\s*(\[.*\])?")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_WRITTEN_BY_INSTALLERS = ("INSTALLER", "REQUESTED", "direct_url.json")
_SCRIPT_SECTIONS = ("console_scripts", "gui_scripts")


class VerifiedWheel(WheelSource):
    """The contents of one wheel whose whole hash was checked.

    `hashes` maps each path in the archive to its row of RECORD: hash and size. Raises
    `MalformedError` that names the wheel and everything that is wrong with it.
    """

    def __init__(self, file: BinaryIO, file_name: str) -> None:
        name, version = file_name.split("-")[:2]
        super().__init__(name, version)
        self._file = file
        self._file_name = file_name
        try:
            self._zip = zipfile.ZipFile(file)
            self._entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise MalformedError(f"{file_name} is not a wheel: {error}") from error
        self._refuse(self._archive_problems())
        self._dist_info = self._find_dist_info()
        self.hashes = self._read_record()
        self._refuse([*self._record_problems(), *self._data_problems(), *self._script_problems()])

    @property
    def dist_info_dir(self) -> str:
        """The name of the one .dist-info folder."""
        return self._dist_info

    @property
    def data_dir(self) -> str:
        """The name that the .data folder has, if there is one."""
        return self._dist_info.removesuffix(".dist-info") + ".data"

    @property
    def dist_info_filenames(self) -> list[str]:
        """The paths of all files in .dist-info, relative to it."""
        start = f"{self._dist_info}/"
        return [
            entry.filename[len(start) :]
            for entry in self._entries
            if entry.filename.startswith(start)
        ]

    @property
    def unpacked_size(self) -> int:
        """The size of all files in bytes."""
        return sum(entry.file_size for entry in self._entries)

    def read_dist_info(self, filename: str) -> str:
        """Return the text of a file in .dist-info; raises `MalformedError`."""
        path = f"{self._dist_info}/{filename}"
        try:
            entry = self._zip.getinfo(path)
            if entry.file_size > _MAX_METADATA:
                raise self._malformed([f"{path} is larger than {_MAX_METADATA} bytes"])
            return self._inflate(entry).decode()
        except (KeyError, UnicodeDecodeError) as error:
            why = "is missing" if isinstance(error, KeyError) else "is not UTF-8"
            raise self._malformed([f"{path} {why}"]) from error

    def validate_record(self) -> None:
        """Do nothing: RECORD was checked when the source was opened."""

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Yield every file to install: its row of RECORD, its content, whether it is executable."""
        for entry in self._entries:
            path = entry.filename
            if posixpath.dirname(path) == self._dist_info and (
                posixpath.basename(path) in (*_WRITTEN_BY_INSTALLERS, *_SIGNATURES)
            ):
                continue
            mode = entry.external_attr >> 16
            executable = bool(mode & 0o111) and stat.S_ISREG(mode)
            row = (path, *self.hashes.get(path, ("", "")))
            if entry.file_size < STREAMED_FROM:
                yield row, BytesIO(self._inflate(entry)), executable
            else:
                with self._zip.open(entry) as stream:
                    # ZipFile's streams read as binary files do; its type says only IO[bytes].
                    yield row, stream, executable  # type: ignore[misc]

    def _inflate(self, entry: zipfile.ZipInfo) -> bytes:
        """Return the content of one entry.

        `ZipFile.read` takes five times as long for small files. The bytes need no CRC: the hash
        of the whole wheel was checked; that the sizes agree is checked here.
        """
        self._file.seek(entry.header_offset)
        magic, name_size, extra_size = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
        if magic != b"PK\x03\x04":
            raise self._malformed([f"{entry.filename} has no local header"])
        self._file.seek(name_size + extra_size, 1)
        data = self._file.read(entry.compress_size)
        if entry.compress_type == zipfile.ZIP_DEFLATED:
            try:
                data = _inflate(data, entry.file_size)
            except zlib.error as error:
                raise self._malformed([f"{entry.filename} cannot be inflated"]) from error
        if len(data) != entry.file_size:
            raise self._malformed([f"{entry.filename} has another size than it states"])
        return data

    def _refuse(self, problems: list[str]) -> None:
        if problems:
            raise self._malformed(problems)

    def _malformed(self, problems: list[str]) -> MalformedError:
        hint = "the wheel was made wrong or with bad intent: ask whoever made the bundle"
        if len(problems) == 1:
            return MalformedError(f"{self._file_name}: {problems[0]}", hint=hint)
        return MalformedError(
            f"{self._file_name} breaks {len(problems)} rules", details=problems[:20], hint=hint
        )

    def _archive_problems(self) -> list[str]:
        problems = []
        seen: set[str] = set()
        for entry in self._entries:
            name = entry.filename
            # zipfile cuts names at NUL and turns the separators of this host into slashes.
            problem = _name_problem(entry.orig_filename)
            mode = entry.external_attr >> 16
            if problem:
                problems.append(f"{name!r} {problem}")
            elif name in seen:
                problems.append(f"{name!r} is there twice")
            elif entry.flag_bits & 0x1:
                problems.append(f"{name!r} is encrypted")
            elif entry.compress_type not in _METHODS:
                problems.append(f"{name!r} is compressed by an unknown method")
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                problems.append(f"{name!r} is not a regular file")
            elif mode & (stat.S_ISUID | stat.S_ISGID):
                problems.append(f"{name!r} is setuid or setgid")
            seen.add(name)
        if len(self._entries) > MAX_FILES:
            problems.append(f"it holds more than {MAX_FILES} files")
        if self.unpacked_size > MAX_UNPACKED:
            problems.append(f"it unpacks to more than {MAX_UNPACKED} bytes")
        return problems

    def _find_dist_info(self) -> str:
        top = {entry.filename.split("/", 1)[0] for entry in self._entries}
        found = sorted(name for name in top if name.endswith(".dist-info"))
        if len(found) != 1:
            raise self._malformed([f"it has {len(found)} .dist-info folders instead of one"])
        name, _, version = found[0].removesuffix(".dist-info").rpartition("-")
        try:
            same_name = canonicalize_name(name, validate=True) == canonicalize_name(
                self.distribution
            )
        except InvalidName:
            same_name = False
        if not same_name or canonicalize_version(version) != canonicalize_version(self.version):
            raise self._malformed([f"{found[0]} is not that of this wheel"])
        return found[0]

    def _read_record(self) -> dict[str, tuple[str, str]]:
        try:
            rows = list(parse_record_file(self.read_dist_info("RECORD").splitlines()))
        except InvalidRecordEntry as error:
            raise self._malformed([f"RECORD cannot be read: {error}"]) from error
        record = {path: (digest, size) for path, digest, size in rows}
        if len(record) != len(rows):
            raise self._malformed(["RECORD lists a file twice"])
        return record

    def _record_problems(self) -> list[str]:
        own = f"{self._dist_info}/RECORD"
        unhashed = {own, *(f"{self._dist_info}/{name}" for name in _SIGNATURES)}
        sizes = {entry.filename: str(entry.file_size) for entry in self._entries}
        problems = [
            f"RECORD lists {name!r}, which is absent" for name in self.hashes.keys() - sizes
        ]
        for name, size in sizes.items():
            if name not in self.hashes:
                if name not in unhashed:
                    problems.append(f"{name!r} is not in RECORD")
                continue
            digest, stated = self.hashes[name]
            if name not in unhashed and not _STRONG_HASH.fullmatch(digest):
                problems.append(f"RECORD has no strong hash for {name!r}")
            elif stated and stated != size:
                problems.append(f"RECORD states another size for {name!r}")
        return sorted(problems)

    def _data_problems(self) -> list[str]:
        start = f"{self.data_dir}/"
        problems = []
        for entry in self._entries:
            name = entry.filename
            if name == self.data_dir:
                problems.append(f"{name!r} is a file, not a folder")
            elif name.startswith(start):
                scheme, _, rest = name[len(start) :].partition("/")
                if scheme not in SCHEME_NAMES or not rest:
                    problems.append(f"{name!r} is in no folder that .data may have")
                elif scheme == "scripts" and not _SCRIPT_NAME.fullmatch(rest):
                    problems.append(f"{name!r} is not the name of a script")
        return problems

    def _script_problems(self) -> list[str]:
        """Check entry points before the library parses them: it resolves interpolations."""
        if "entry_points.txt" not in self.dist_info_filenames:
            return []
        config = ConfigParser(delimiters="=", interpolation=None, strict=True)
        config.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            config.read_string(self.read_dist_info("entry_points.txt"))
        except ConfigError as error:
            return [f"entry_points.txt cannot be read: {type(error).__name__}"]
        problems = []
        if config.defaults():
            problems.append("entry_points.txt has a section DEFAULT")
        for section in _SCRIPT_SECTIONS:
            for name, value in config.items(section) if config.has_section(section) else ():
                if not _SCRIPT_NAME.fullmatch(name):
                    problems.append(f"entry point {name!r} is not the name of a script")
                if not _OBJECT_REFERENCE.fullmatch(value):
                    problems.append(f"entry point {name!r} does not name a function: {value!r}")
        return problems


def _name_problem(name: str) -> str | None:
    if _UNSAFE_NAME.search(name):
        return "has a character that file names must not have"
    if name.startswith("/"):
        return "is an absolute path"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "is not a plain relative path"
    return None


def _inflate(data: bytes, size: int) -> bytes:
    """Inflate a raw deflate stream, stopping one byte after the size that it states."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
