"""Wheel file names (PyPA, binary distribution format), read without expanding their tags first."""

from __future__ import annotations

import math

from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import Version

MAX_TAGS = 1000
"""`py2.py3-none-any` means two tags; three lists of a thousand would mean a billion."""


def parse_wheel_name(
    file_name: str,
) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Return name, version, build tag and tags of a wheel; raises `InvalidWheelFilename`."""
    if has_too_many_tags(file_name):
        raise InvalidWheelFilename(f"more than {MAX_TAGS} tags: {file_name[:100]}…")
    return parse_wheel_filename(file_name)


def has_too_many_tags(file_name: str) -> bool:
    """Return whether a name stands for more tags than any real wheel has."""
    lists = file_name.removesuffix(".whl").rsplit("-", 3)[1:]
    return math.prod(tags.count(".") + 1 for tags in lists) > MAX_TAGS
