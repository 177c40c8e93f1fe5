"""What a bundle is called: the far side lets no bundle of one name replace those of another."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from wheelferry_schemas.errors import UsageError

_OTHERS = re.compile(r"[^a-z0-9]+")
_SAYS_NOTHING = ("requirements", "reqs")
"""Folders that keep requirements files; the project is the folder above."""


def named_after(folder: Path, otherwise: str) -> str:
    """Return the name of a bundle after its project's folder, `otherwise` where that gives none."""
    folder = folder.resolve()
    if folder.name.lower() in _SAYS_NOTHING:
        folder = folder.parent
    return _OTHERS.sub("-", folder.name.lower()).strip("-") or otherwise


def checked(name: str) -> str:
    """Return a name that somebody chose in its one spelling; raises `UsageError`."""
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise UsageError(
            f"{name!r} cannot name a bundle",
            hint="a name has letters, digits and - _ . between them, as that of a package",
        ) from error
