"""Types of fields that several models share: names, versions, hashes and times, with their limits.

JSON is checked against the type when it is read. Models themselves check what no pattern can state,
such as whether a version follows PEP 440.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

from msgspec import Meta
from packaging.version import InvalidVersion, Version

from wheelferry_schemas.models import END

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Name = Annotated[str, Meta(pattern=rf"^[a-z0-9]+(-[a-z0-9]+)*{END}", min_length=1, max_length=200)]
VersionText = Annotated[str, Meta(max_length=200)]
"""Checked with `check_version`."""
Sha256 = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}")]
Timestamp = Annotated[
    str, Meta(pattern=rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z{END}")
]
"""UTC; checked against the calendar with `parse_timestamp`."""


def check_version(text: str) -> None:
    """Raise `ValueError` for text that is not a version (PEP 440)."""
    try:
        Version(text)
    except InvalidVersion as error:
        raise ValueError(f"not a version: {text!r}") from error


def parse_timestamp(text: str) -> int:
    """Return the seconds since the epoch of a UTC time such as `2026-11-22T07:45:00Z`.

    Raises `ValueError` for other text.
    """
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise ValueError(f"not a time: {text!r}") from error
    return int(moment.timestamp())


def format_timestamp(seconds: int) -> str:
    """Return seconds since the epoch as a UTC time such as `2026-11-22T07:45:00Z`."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
