"""Lists the folders of wheels and source archives that `--find-links` names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wheelferry_bundler.model.locations import WheelFolder
from wheelferry_schemas.errors import UsageError


def list_folders(paths: Iterable[Path]) -> tuple[WheelFolder, ...]:
    """Return folders with the names of their files; raises `UsageError` for an unreadable one."""
    return tuple(map(_list, paths))


def _list(path: Path) -> WheelFolder:
    try:
        names = sorted(entry.name for entry in path.iterdir() if entry.is_file())
    except OSError as error:
        raise UsageError(
            f"--find-links {path} cannot be read: {error.strerror}", hint="name a folder of wheels"
        ) from error
    return WheelFolder(path, tuple(names))
