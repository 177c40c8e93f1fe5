"""Lists the folders of wheels and source archives that `--find-links` names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from wheelferry_schemas.errors import UsageError


def list_folders(folders: Iterable[Path]) -> Mapping[str, tuple[Path, ...]]:
    """Return the files in these folders by name; raises `UsageError` for one that cannot be read."""
    found: dict[str, tuple[Path, ...]] = {}
    for folder in folders:
        try:
            entries = sorted(entry for entry in folder.iterdir() if entry.is_file())
        except OSError as error:
            raise UsageError(
                f"--find-links {folder} cannot be read: {error.strerror}",
                hint="name a folder of wheels",
            ) from error
        for entry in entries:
            found[entry.name] = (*found.get(entry.name, ()), entry)
    return found
