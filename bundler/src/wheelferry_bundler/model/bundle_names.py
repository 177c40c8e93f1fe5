"""The name of a bundle; an installation is only ever updated by bundles of its own name."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from wheelferry_schemas.errors import UsageError

_OTHERS = re.compile(r"[^a-z0-9]+")
_SAYS_NOTHING = ("requirements", "reqs")
"""Folders of requirements files; the project is their parent."""


def named_after(folder: Path, otherwise: str) -> str:
    """Return a bundle name derived from its project's folder, `otherwise` if that yields none."""
    folder = folder.resolve()
    if folder.name.lower() in _SAYS_NOTHING:
        folder = folder.parent
    return _OTHERS.sub("-", folder.name.lower()).strip("-") or otherwise


def checked(name: str) -> str:
    """Return a chosen name in canonical form; raises `UsageError` for an invalid one."""
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise UsageError(
            f"{name!r} cannot name a bundle",
            hint="use letters, digits, and - _ . between them, as in names of packages",
        ) from error
