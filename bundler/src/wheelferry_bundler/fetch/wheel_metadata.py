"""Reads METADATA of a wheel, and the licence and summary in it, for the SBOM."""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import parse_email

from wheelferry_schemas.errors import MalformedError

_MAX_SIZE = 4 * 2**20
_LONGEST = 200
_CLASSIFIER = "License :: "
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(ValueError, RuntimeError),
)
"""The exceptions of zipfile for damaged, encrypted and unsupported archives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMetadata:
    """`license` is an SPDX expression, or else the text of classifiers or author, on one line."""

    license: str | None
    summary: str | None


def read_wheel_metadata(path: Path, file_name: str) -> WheelMetadata:
    """Read METADATA of a wheel; raises `MalformedError` where there is none."""
    # The description may be long and is not needed.
    raw, _ = parse_email(_BLANK_LINE.split(read_metadata(path, file_name), maxsplit=1)[0])
    written = raw.get("license")
    stated = (
        raw.get("license_expression")
        or _as_expression(written or "")
        or _from_classifiers(raw.get("classifiers", []))
    )
    return WheelMetadata(
        license=_one_line(stated or written), summary=_one_line(raw.get("summary"))
    )


def _as_expression(text: str) -> str | None:
    """Return an SPDX expression in canonical form, None for any other text."""
    if len(text) > _LONGEST:
        return None
    try:
        return canonicalize_license_expression(text.strip())
    except InvalidLicenseExpression:
        return None


def read_metadata(path: Path, file_name: str) -> bytes:
    """Return METADATA of a wheel; raises `MalformedError` where there is none."""
    try:
        with zipfile.ZipFile(path) as wheel:
            (name,) = (
                name
                for name in wheel.namelist()
                if name.count("/") == 1 and name.endswith(".dist-info/METADATA")
            )
            if wheel.getinfo(name).file_size > _MAX_SIZE:
                raise MalformedError(f"{file_name}: METADATA is larger than {_MAX_SIZE} bytes")
            return wheel.read(name)
    except _UNREADABLE as error:
        raise MalformedError(f"{file_name} is not a wheel: {error}") from error


def _from_classifiers(classifiers: list[str]) -> str | None:
    names = [c.rsplit(" :: ", 1)[-1] for c in classifiers if c.startswith(_CLASSIFIER)]
    return " and ".join(sorted(names)) or None


def _one_line(text: str | None) -> str | None:
    """Return the first line with content: `License` may contain a whole licence text."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[0][:_LONGEST] if lines and lines[0] != "UNKNOWN" else None
