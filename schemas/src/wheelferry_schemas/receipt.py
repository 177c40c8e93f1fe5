"""The receipt: what an installation put into an environment, and who signed it.

It lies with the bundle's manifest and signatures in the folder `FOLDER` of the environment, and is
written last: an environment without a receipt is incomplete.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.fields import (
    Name,
    Sha256,
    Text,
    Timestamp,
    VersionText,
    check_version,
    parse_timestamp,
)
from wheelferry_schemas.models import Model, canonical_json, read
from wheelferry_schemas.target import TargetId

FOLDER = "wheelferry"
FILE_NAME = "receipt.json"


class InstalledPackage(Model, frozen=True, kw_only=True):
    """An installed package: the path and hash of its RECORD, which states the hash of each file.

    Paths are relative to the environment. `sha256` is the hash of the wheel.
    """

    name: Name
    version: VersionText
    wheel: Text
    record: Text
    record_sha256: Sha256
    sha256: Sha256 | None = None

    def __post_init__(self) -> None:
        check_version(self.version)


class InstalledFile(Model, frozen=True, kw_only=True):
    """A file that belongs to no package, such as the interpreter's configuration."""

    path: Text
    sha256: Sha256


class InstalledLink(Model, frozen=True, kw_only=True):
    """A symbolic link, such as the one to the interpreter, and its target."""

    path: Text
    target: Text


class Receipt(Model, frozen=True, kw_only=True):
    """One installation.

    `generation` tells apart two installations of the same bundle. `interpreter` is the base
    interpreter that the environment was made from, `bundle` the name of the file, `bundle_name` and
    `bundle_created` those of the manifest. `signers` are those whose signature counted.
    `written_ns` is when the receipt was written, by the clock of its file system, in nanoseconds
    since the epoch: what was changed from then on, was so by others.
    """

    format: Literal[1]
    generation: Text
    tool: Text
    installed: Timestamp
    bundle: Text
    bundle_name: Text
    bundle_created: Timestamp
    manifest_sha256: Sha256
    target: TargetId
    interpreter: Text
    python: Text
    compiled: bool
    signers: tuple[Text, ...]
    packages: tuple[InstalledPackage, ...]
    files: tuple[InstalledFile, ...]
    links: tuple[InstalledLink, ...] = ()
    written_ns: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        parse_timestamp(self.installed)
        parse_timestamp(self.bundle_created)


def serialize(receipt: Receipt) -> bytes:
    """Return the receipt as JSON; raises `ValueError` where `parse` would refuse it."""
    return canonical_json(receipt.checked().plain())


def parse(data: bytes) -> Receipt:
    """Read a receipt; raises `MalformedError`."""
    try:
        return read(data, Receipt)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the receipt of the environment cannot be read") from error
