"""Finds what is in the way of new files in an existing tree."""

from __future__ import annotations

import os
from pathlib import Path

from wheelferry_installer.environment import tree_changes
from wheelferry_installer.host.places import Place
from wheelferry_installer.install.removal import Removal, is_file, resolved
from wheelferry_installer.system.digests import file_digest
from wheelferry_schemas.errors import ConflictError


def refuse_other_disks(place: Place) -> None:
    """Raise `ConflictError` if a rename cannot move files into place."""
    device = place.root.stat().st_dev
    for folder in (*place.schemes.values(), place.headers):
        path = place.root / folder
        if path.exists() and path.stat().st_dev != device:
            raise ConflictError(
                f"{path} is on another disk than {place.root}",
                hint="a tree that is spread over several disks cannot be changed in one step",
            )


def judge_obstacles(place: Place, staged: Path, removal: Removal, *, force: bool) -> list[str]:
    """Return warnings of files in the way, and add to the removal what may be replaced.

    Raises `ConflictError` that names everything else.
    """
    root = place.root
    taken = frozenset(removal.taken)
    problems, warnings = [], []
    for path in tree_changes.files_below(staged):
        blocked = _blocked(root, path, taken)
        if blocked:
            problems.append(blocked)
        elif path not in taken and is_file(root / path):
            if not _may_replace(place, path):
                if file_digest(root / path) == file_digest(staged / path):
                    warnings.append(f"{path} already existed with the same content")
                elif not force:
                    problems.append(f"{path} already exists, and no package being removed owns it")
            removal.taken.add(path)
    old_receipts = root / place.receipts
    if old_receipts.exists():
        removal.taken.update(
            f"{place.receipts}/{path}" for path in tree_changes.files_below(old_receipts)
        )
    if problems:
        raise ConflictError(
            f"files are in the way in {root}",
            details=sorted(problems),
            hint="move them away, or pass --force to replace those that can be",
        )
    return warnings


def _blocked(root: Path, path: str, taken: frozenset[str]) -> str | None:
    real = resolved(root, path)
    if real is None:
        return f"{path} is outside of {root}"
    if real != path:
        return f"{path} leads through a link"
    for folder in tree_changes.parents(path):
        if os.path.lexists(root / folder) and folder not in taken:
            if not (root / folder).is_dir():
                return f"{folder} is a file, and {path} should be in it"
            break
    target = root / path
    below = tree_changes.files_below(target) if target.is_dir() and not is_file(target) else ()
    if any(f"{path}/{name}" not in taken for name in below):
        return f"{path} is a folder"
    return None


def _may_replace(place: Place, path: str) -> bool:
    """Return whether a file is a receipt or a compiled module, which can be made again."""
    return path.startswith(f"{place.receipts}/") or "__pycache__" in path.split("/")
