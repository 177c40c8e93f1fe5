"""Checks a verified wheel, and presents it to the `installer` library, which does not check.

All are made when the wheel is opened, before anything is written:

- the archive: every reader reads it alike; no encryption, no methods but stored and deflated, no
  links, no duplicate names, no bombs;
- names: relative, without `..`, backslashes, colons and control characters, and no two that are
  one file on some file systems;
- exactly one `.dist-info`, that of the wheel's file name, with a WHEEL of a known version and a
  METADATA of the same name and version;
- RECORD lists exactly the files of the wheel, each with a strong hash;
- `.data` holds only the folders of the wheel format and nothing that belongs to the environment
  itself, and scripts have valid names.

Sizes, hashes and CRCs of contents are checked when they are read.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from installer.sources import WheelContentElement, WheelSource
from installer.utils import parse_metadata_file
from packaging.utils import InvalidName, canonicalize_name, canonicalize_version

from wheelferry_installer.wheel.entry_points import data_path_problem, entry_point_problems
from wheelferry_installer.wheel.record import Row, parse_record, record_problems
from wheelferry_installer.wheel.zip_directory import ZipEntry, read_directory
from wheelferry_installer.wheel.zip_entries import ZipEntries
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.host_rules.file_names import colliding, name_problem

MAX_FILES = 200_000
MAX_UNPACKED = 64 * 2**30
MAX_RATIO = 100
"""How many times the size of the wheel it may unpack to, beyond `UNSUSPICIOUS` bytes."""
UNSUSPICIOUS = 16 * 2**20
STREAMED_FROM = 16 * 2**20
"""Files from this size on are inflated piece by piece, so that memory stays flat."""
_MAX_METADATA = 32 * 2**20
_MAX_HEADERS = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_WRITTEN_BY_INSTALLERS = ("INSTALLER", "REQUESTED", "direct_url.json")
_ENTRY_POINTS = "entry_points.txt"


class VerifiedWheel(WheelSource):
    """The contents of one wheel whose whole hash was checked.

    `hashes` maps each path in the archive to its row of RECORD: hash and size. Raises
    `MalformedError` that names the wheel and everything that is wrong with it.
    """

    def __init__(self, file: BinaryIO, file_name: str) -> None:
        name, version = file_name.split("-")[:2]
        super().__init__(name, version)
        self._file_name = file_name
        # Nothing that refers to this object: a cycle would keep the file until the next collection.
        self._contents = ZipEntries(file, lambda problem: _malformed(file_name, [problem]))
        try:
            entries, problems = read_directory(file, MAX_FILES)
        except MalformedError as error:
            why = f"{file_name} is not a wheel: {error.message}"
            raise MalformedError(why, hint=_HINT) from error
        self._entries = [entry for entry in entries if not entry.is_folder]
        self._by_name = {entry.name: entry for entry in self._entries}
        packed_size = sum(entry.packed_size for entry in entries)
        self._refuse(
            [*self._archive_problems(entries), *problems, *self._bomb_problems(packed_size)]
        )
        self._dist_info = self._find_dist_info()
        self.hashes = self._read_record()
        self._refuse(
            [
                *self._version_problems(),
                *self._metadata_problems(),
                *self._record_problems(),
                *self._data_problems(),
                *self._script_problems(),
            ]
        )

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
        return [name[len(start) :] for name in self._by_name if name.startswith(start)]

    @property
    def unpacked_size(self) -> int:
        """The size of all files in bytes."""
        return sum(entry.size for entry in self._entries)

    def read_dist_info(self, filename: str, limit: int = _MAX_HEADERS) -> str:
        """Return the text of a file in .dist-info; raises `MalformedError`."""
        path = f"{self._dist_info}/{filename}"
        entry = self._by_name.get(path)
        if entry is None:
            raise _malformed(self._file_name, [f"{path} is missing"])
        if entry.size > limit:
            raise _malformed(self._file_name, [f"{path} is larger than {limit} bytes"])
        try:
            return self._contents.read(entry).decode()
        except UnicodeDecodeError as error:
            raise _malformed(self._file_name, [f"{path} is not UTF-8"]) from error

    def validate_record(self) -> None:
        """Do nothing: RECORD was checked when the wheel was opened."""

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Yield every file to install: its row of RECORD, its content, whether it is executable.

        Each content is compared with the hash in its row. Raises `MalformedError`.
        """
        left_out = {f"{self._dist_info}/{name}" for name in (*_WRITTEN_BY_INSTALLERS, *_SIGNATURES)}
        for entry in self._entries:
            path = entry.name
            if path in left_out:
                continue
            executable = bool(entry.mode & 0o111) and stat.S_ISREG(entry.mode)
            digest, size = self.hashes.get(path, ("", ""))
            row = (path, digest, size)
            if entry.size < STREAMED_FROM:
                yield row, BytesIO(self._contents.read(entry, digest)), executable
            else:
                with self._contents.open(entry, digest) as stream:
                    yield row, stream, executable

    def _refuse(self, problems: list[str]) -> None:
        if problems:
            raise _malformed(self._file_name, problems)

    def _archive_problems(self, entries: list[ZipEntry]) -> list[str]:
        problems = []
        seen: set[str] = set()
        for entry in entries:
            problem = _entry_problem(entry)
            if problem or entry.name in seen:
                problems.append(f"{entry.name!r} {problem or 'is there twice'}")
            seen.add(entry.name)
        return problems + [
            f"{one!r} and {other!r} {why}" for one, other, why in colliding(self._by_name)
        ]

    def _bomb_problems(self, packed_size: int) -> list[str]:
        size = self.unpacked_size
        if size > MAX_UNPACKED:
            return [f"it unpacks to more than {MAX_UNPACKED} bytes"]
        if size > UNSUSPICIOUS + MAX_RATIO * packed_size:
            return [f"it unpacks to {size} bytes, more than {MAX_RATIO} times its size"]
        return []

    def _find_dist_info(self) -> str:
        top = {name.split("/", 1)[0] for name in self._by_name}
        found = sorted(name for name in top if name.endswith(".dist-info"))
        if len(found) != 1:
            raise _malformed(
                self._file_name, [f"it has {len(found)} .dist-info folders instead of one"]
            )
        name, _, version = found[0].removesuffix(".dist-info").rpartition("-")
        if not self._is_mine(name, version):
            raise _malformed(self._file_name, [f"{found[0]} is not that of this wheel"])
        return found[0]

    def _is_mine(self, name: str, version: str) -> bool:
        """Return whether name and version are those of the wheel's file name."""
        try:
            canonical = canonicalize_name(name, validate=True)
        except InvalidName:
            return False
        return canonical == canonicalize_name(self.distribution) and canonicalize_version(
            version
        ) == canonicalize_version(self.version)

    def _version_problems(self) -> list[str]:
        version = parse_metadata_file(self.read_dist_info("WHEEL"))["Wheel-Version"]
        if version is None or not version.startswith("1."):
            return [f"WHEEL states no version that is known: {version!r}"]
        return []

    def _metadata_problems(self) -> list[str]:
        if f"{self._dist_info}/METADATA" not in self._by_name:
            return ["METADATA is missing"]
        # The description after the headers may be long, and does not matter here.
        headers = re.split(
            r"\r?\n\r?\n", self.read_dist_info("METADATA", _MAX_METADATA), maxsplit=1
        )
        metadata = parse_metadata_file(headers[0][:_MAX_HEADERS])
        names, versions = metadata.get_all("Name", []), metadata.get_all("Version", [])
        if len(names) != 1 or len(versions) != 1 or not self._is_mine(names[0], versions[0]):
            return ["METADATA does not state the name and the version of this wheel"]
        return []

    def _read_record(self) -> dict[str, Row]:
        text = self.read_dist_info("RECORD", _MAX_METADATA)
        try:
            return parse_record(text, len(self._entries))
        except MalformedError as error:
            raise _malformed(self._file_name, [error.message]) from error

    def _record_problems(self) -> list[str]:
        unhashed = {f"{self._dist_info}/{name}" for name in ("RECORD", *_SIGNATURES)}
        sizes = {entry.name: entry.size for entry in self._entries}
        return record_problems(self.hashes, sizes, unhashed)

    def _data_problems(self) -> list[str]:
        start = f"{self.data_dir}/"
        problems = []
        for name in self._by_name:
            if name == self.data_dir:
                problems.append(f"{name!r} is a file, not a folder")
            elif name.startswith(start):
                problem = data_path_problem(name[len(start) :])
                if problem:
                    problems.append(f"{name!r} {problem}")
        return problems

    def _script_problems(self) -> list[str]:
        """Check entry points before the library parses them: it resolves interpolations."""
        if f"{self._dist_info}/{_ENTRY_POINTS}" not in self._by_name:
            return []
        return entry_point_problems(self.read_dist_info(_ENTRY_POINTS))


def _malformed(file_name: str, problems: list[str]) -> MalformedError:
    if len(problems) == 1:
        return MalformedError(f"{file_name}: {problems[0]}", hint=_HINT)
    return MalformedError(
        f"{file_name} breaks {len(problems)} rules", details=problems[:20], hint=_HINT
    )


def _entry_problem(entry: ZipEntry) -> str | None:
    kind = stat.S_IFMT(entry.mode)
    problems = (
        (entry.encrypted, "is encrypted"),
        (entry.method not in _METHODS, "is compressed by an unknown method"),
        (
            kind not in (0, stat.S_IFDIR if entry.is_folder else stat.S_IFREG),
            "is not a regular file",
        ),
        (entry.mode & (stat.S_ISUID | stat.S_ISGID), "is setuid or setgid"),
        (entry.is_folder and (entry.size or entry.crc), "is a folder with a content"),
    )
    return name_problem(entry.name.removesuffix("/")) or next(
        (problem for is_so, problem in problems if is_so), None
    )


_HINT = "the wheel was made wrong or with bad intent: ask whoever made the bundle"
