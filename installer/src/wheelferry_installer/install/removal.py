"""Finds the files to remove with distributions, and what prevents that."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wheelferry_installer.environment.distributions import (
    Distribution,
    digest_of,
    recorded_files,
)
from wheelferry_installer.environment.tree_changes import cached_modules, files_below, parents
from wheelferry_installer.wheel.record import spell
from wheelferry_schemas.errors import ConflictError, MalformedError
from wheelferry_schemas.receipt import InstalledPackage


@dataclass(slots=True)
class Removal:
    """Files to remove; `edited` lists changed ones, `impossible` what cannot be removed."""

    taken: set[str] = field(default_factory=set)
    edited: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)

    def refuse_conflicts(self, root: Path, *, force: bool) -> None:
        """Raise `ConflictError` for all that prevents the removal; `force` discards edits."""
        problems = self.impossible + ([] if force else self.edited)
        if problems:
            raise ConflictError(
                f"what is installed in {root} cannot be removed safely",
                details=sorted(problems),
                hint="remove it with the tool that installed it"
                if self.impossible
                else "move those files away, or pass --force to lose the edits",
            )


def plan_removal(
    root: Path, distributions: Iterable[Distribution], ours: Mapping[str, InstalledPackage]
) -> Removal:
    """Find the files of distributions; `ours` are packages of the receipt, by their RECORD.

    These are the files in RECORD, all of .dist-info, and what Python compiled from them.
    """
    removal = Removal()
    for distribution in distributions:
        metadata = distribution.metadata
        if (root / metadata).is_symlink() or resolved(root, metadata) != metadata:
            removal.impossible.append(f"{metadata} is a link, and its target is unknown")
            continue
        try:
            listed = dict(recorded_files(root, distribution.record))
        except MalformedError:
            removal.impossible.append(
                f"{distribution.name} {distribution.version} has no RECORD that lists its files"
            )
            continue
        own = ours.get(distribution.record)
        if own is not None:
            listed[distribution.record] = spell("sha256", bytes.fromhex(own.record_sha256))
        for path, digest in listed.items():
            _add(root, path, digest, removal)
        below = files_below(root / metadata)
        removal.taken.update(f"{metadata}/{path}" for path in below)
    removal.taken.update(cached_modules(root, sorted(removal.taken)))
    return removal


def resolved(root: Path, path: str) -> str | None:
    """Return a path with the links to its folder resolved, None if it leads out of `root`."""
    if path.startswith(("../", "/")) or os.path.isabs(path):
        return None
    folder, _, name = path.rpartition("/")
    if not any((root / parent).is_symlink() for parent in parents(path)):
        return path
    relative = os.path.relpath(os.path.realpath(root / folder), root).replace(os.sep, "/")
    if relative.split("/")[0] == ".." or os.path.isabs(relative):
        return None
    return name if relative == "." else f"{relative}/{name}"


def is_file(path: Path) -> bool:
    """Return whether a file or a link exists: anything but a folder."""
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _add(root: Path, path: str, digest: str, removal: Removal) -> None:
    # lib64 may be a link to lib: each file is removed by one name.
    real = resolved(root, path)
    if real is None:
        removal.impossible.append(f"{path} is outside of {root}")
    elif is_file(root / real):
        removal.taken.add(real)
        if digest and digest_of(root / real, digest) != digest:
            removal.edited.append(f"{path} was edited since it was installed")
