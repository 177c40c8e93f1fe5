"""The manifest: what is in a bundle, for which targets, and where it came from.

The manifest is the one member that is signed; everything else is bound to it by size and hash.
Its bytes are canonical: `serialize(parse(data)) == data`, or `parse` refuses. That one comparison
also rules out duplicate keys, byte order marks, NaN and other freedoms of JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_version

from wheelferry_schemas.errors import MalformedError, WheelferryError
from wheelferry_schemas.fields import (
    Name,
    Sha256,
    Text,
    Timestamp,
    VersionText,
    check_version,
    parse_timestamp,
)
from wheelferry_schemas.models import END, InvalidModelError, Model, canonical_json, read
from wheelferry_schemas.target import Target, TargetId
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

FORMAT_VERSION = 1
MAX_MANIFEST_SIZE = 16 * 2**20
MAX_MANIFEST_VALUES = 300_000
"""No real manifest of 16 MiB has more; bounds memory and time."""
MAX_MEMBER_SIZE = 8 * 2**30 - 1
"""The largest size that a ustar header can state (eleven octal digits)."""

_FIT_EVERYWHERE = frozenset({Tag("py3", "none", "any")})
_WHEEL_NAME = re.compile(r"[A-Za-z0-9_.+!-]{1,240}\.whl")
_DOCUMENT_NAME = re.compile(
    r"pylock(\.[a-z0-9_-]{1,128})?\.toml|requirements(\.[a-z0-9_-]{1,128})?\.txt|sbom\.cdx\.json"
)


class NewerFormatError(WheelferryError):
    """A bundle of a newer format than this version reads."""

    exit_code = MalformedError.exit_code


Commit = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{40,64}}{END}")]
PythonName = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_.+-]{{1,200}}\.tar\.(gz|zst){END}")]
Size = Annotated[int, Meta(ge=0, le=MAX_MEMBER_SIZE)]


class MadeFrom(Model, frozen=True, kw_only=True):
    """The input that a bundle was made from: its kind, file name, hash and options."""

    kind: Literal["uv.lock", "pylock.toml", "requirements.txt", "pyproject.toml", "script"]
    name: Text
    sha256: Sha256
    options: tuple[Text, ...]


class Source(Model, frozen=True, kw_only=True):
    """Where a wheel came from.

    `location` is an index, a URL or a path relative to the project, without credentials.
    `built_from` is the hash of the source archive that the wheel was built from, `commit` that of
    the git commit; both are null if the wheel was not built here.
    """

    kind: Literal["registry", "url", "path", "git", "directory"]
    location: Text
    built: bool
    built_from: Sha256 | None
    commit: Commit | None


class Package(Model, frozen=True, kw_only=True):
    """A wheel and its targets; `dependencies` are the packages that it depends on there."""

    name: Name
    version: VersionText
    wheel: Annotated[str, Meta(max_length=255)]
    sha256: Sha256
    size: Size
    license: Text | None
    dependencies: tuple[Name, ...]
    source: Source
    targets: Annotated[tuple[TargetId, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        check_version(self.version)
        if not _WHEEL_NAME.fullmatch(self.wheel):
            raise ValueError(f"not a wheel file name: {self.wheel!r}")
        try:
            name, version, _, _ = parse_wheel_name(self.wheel)
        except InvalidWheelFilename as error:
            raise ValueError(f"not a wheel file name: {self.wheel!r}") from error
        if name != self.name:
            raise ValueError(f"wheel {self.wheel!r} is not one of {self.name!r}")
        if canonicalize_version(str(version)) != canonicalize_version(self.version):
            raise ValueError(f"wheel {self.wheel!r} is not of version {self.version!r}")


class Document(Model, frozen=True, kw_only=True):
    """A member for other tools: a lock, requirements, the SBOM."""

    name: str
    sha256: Sha256
    size: Size

    def __post_init__(self) -> None:
        if not _DOCUMENT_NAME.fullmatch(self.name):
            raise ValueError(f"not a document of a bundle: {self.name!r}")


class PythonArchive(Model, frozen=True, kw_only=True):
    """A Python archive and the targets that it is for."""

    name: PythonName
    sha256: Sha256
    size: Size
    targets: Annotated[tuple[TargetId, ...], Meta(min_length=1)]


class Manifest(Model, frozen=True, kw_only=True):
    """All that the signers of a bundle vouch for (FORMAT.md, section 3)."""

    format: Literal[1]
    name: Name
    version: VersionText | None
    created: Timestamp
    expires: Timestamp | None
    tool: Text
    made_from: MadeFrom
    targets: Annotated[tuple[Target, ...], Meta(min_length=1, max_length=256)]
    roots: tuple[Name, ...]
    packages: tuple[Package, ...]
    documents: tuple[Document, ...]
    pythons: tuple[PythonArchive, ...] = ()

    def __post_init__(self) -> None:
        if self.version is not None:
            check_version(self.version)
        parse_timestamp(self.created)
        if self.expires is not None:
            parse_timestamp(self.expires)
        problems = [
            *self._ordering_problems(),
            *self._target_problems(),
            *self._tag_problems(),
        ]
        if problems:
            raise ValueError("; ".join(problems))

    def _ordering_problems(self) -> list[str]:
        problems = []
        for what, names in (
            ("target", [target.id for target in self.targets]),
            ("wheel", [package.wheel for package in self.packages]),
            ("document", [document.name for document in self.documents]),
            ("Python archive", [python.name for python in self.pythons]),
            ("root", list(self.roots)),
        ):
            problems += [f"{what} {name!r} twice" for name in sorted(_twice(names))]
            if names != sorted(names):
                problems.append(f"{what}s are not sorted")
        return problems

    def _target_problems(self) -> list[str]:
        known = {target.id for target in self.targets}
        seen: set[tuple[str, str]] = set()
        served = [target for python in self.pythons for target in python.targets]
        problems = [f"a Python for an unknown target {t!r}" for t in sorted({*served} - known)]
        problems += [f"two Pythons for target {target!r}" for target in sorted(_twice(served))]
        for package in self.packages:
            for target in package.targets:
                if target not in known:
                    problems.append(f"{package.wheel!r} is for an unknown target {target!r}")
                if (package.name, target) in seen:
                    problems.append(f"two packages {package.name!r} for target {target!r}")
                seen.add((package.name, target))
        return problems

    def _tag_problems(self) -> list[str]:
        """Return a problem for each wheel without a tag that fits one of its targets."""
        fitting: dict[str, set[Tag]] = {}
        problems = []
        for package in self.packages:
            tags = parse_wheel_name(package.wheel)[3]
            if not tags.isdisjoint(_FIT_EVERYWHERE):
                continue
            for target in self.targets:
                if target.id in package.targets:
                    if target.id not in fitting:
                        fitting[target.id] = set(target.tags())
                    if tags.isdisjoint(fitting[target.id]):
                        problems.append(f"wheel {package.wheel!r} does not fit {target.id!r}")
        return problems

    @property
    def created_at(self) -> int:
        """`created` in seconds since the epoch."""
        return parse_timestamp(self.created)

    def target(self, target_id: str) -> Target:
        """Return the target with that id."""
        return next(target for target in self.targets if target.id == target_id)

    def python_for(self, target_id: str) -> PythonArchive | None:
        """Return the Python archive for a target, if there is one."""
        return next((python for python in self.pythons if target_id in python.targets), None)

    def packages_for(self, target_id: str) -> tuple[Package, ...]:
        """Return the packages of one target, sorted by wheel file name."""
        return tuple(package for package in self.packages if target_id in package.targets)


def serialize(manifest: Manifest) -> bytes:
    """Return the canonical bytes: UTF-8, sorted keys, indent of two, a final newline.

    Raises `MalformedError` where `parse` would refuse them.
    """
    data = _canonical(manifest)
    parse(data)
    return data


def _canonical(manifest: Manifest) -> bytes:
    data = manifest.plain()
    if not manifest.pythons:
        # Omitted then: older manifests have no such field.
        del data["pythons"]
    return canonical_json(data)


def parse(data: bytes) -> Manifest:
    """Read a manifest.

    Raises `MalformedError` for anything but the canonical bytes of a valid manifest of this
    format version, and `NewerFormatError` for a newer one.
    """
    if len(data) > MAX_MANIFEST_SIZE:
        raise MalformedError(f"manifest.json is larger than {MAX_MANIFEST_SIZE} bytes")
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_MANIFEST_VALUES:
        raise MalformedError(f"manifest.json holds more than {MAX_MANIFEST_VALUES} values")
    try:
        _refuse_newer(data)
        manifest = read(data, Manifest)
    except InvalidModelError as error:
        raise MalformedError(
            "manifest.json is not valid",
            details=[str(error)],
            hint="the bundle was damaged or tampered with: get it again from its sender",
        ) from error
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"manifest.json is not JSON: {error}") from error
    if _canonical(manifest) != data:
        raise MalformedError(
            "manifest.json is not in canonical form",
            hint="the bundle was changed after it was made: get it again from its sender",
        )
    return manifest


class _Head(msgspec.Struct):
    """The field that manifests of all formats have."""

    format: object = None


def _refuse_newer(data: bytes) -> None:
    """Refuse a newer format first, so that the error says 'upgrade' and nothing else."""
    try:
        version = msgspec.json.decode(data, type=_Head).format
    except msgspec.ValidationError:
        return
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT_VERSION:
        raise NewerFormatError(
            f"the bundle has format {version}, this wheelferry reads up to {FORMAT_VERSION}",
            hint="upgrade wheelferry on this host",
        )


def _twice(names: list[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}
