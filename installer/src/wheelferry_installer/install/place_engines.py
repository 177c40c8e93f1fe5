"""Names a place, and so chooses the engine for it, once.

Who installs, looks, goes back or removes asks the place, and never which kind it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from wheelferry_installer.install.managed_place import ManagedPlace
from wheelferry_installer.install.shared_place import SharedPlace

Place = ManagedPlace | SharedPlace


def managed(path: Path, python: str | None) -> ManagedPlace:
    """Return the environment at `path`, which wheelferry makes and replaces as a whole."""
    return ManagedPlace(root=Path(os.path.abspath(path)), python=python)


def into(environment: Path) -> SharedPlace:
    """Return an environment that others made; its interpreter is asked.

    `environment` is its folder, or the path of its interpreter. Raises `UsageError` where it is
    none, and `ConflictError` where it belongs to wheelferry or to the operating system.
    """
    from wheelferry_installer.host import places

    layout, interpreter = places.into(environment)
    return SharedPlace(root=layout.root, kind="into", into=(layout, interpreter))


def folder(path: Path, python: str | None) -> SharedPlace:
    """Return a folder of modules."""
    return SharedPlace(root=Path(os.path.realpath(path)), kind="folder", python=python)


def prefix(path: Path, python: str | None) -> SharedPlace:
    """Return a tree like `/usr/local`."""
    return SharedPlace(root=Path(os.path.realpath(path)), kind="prefix", python=python)
