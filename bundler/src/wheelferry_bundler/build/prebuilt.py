"""Takes wheels that were built elsewhere from a folder (`--find-links`) instead of building.

They replace packages without a fitting wheel, by name and version. Only the folder's owner vouches
for such a wheel, and the manifest states its origin. Files in the folder may lie outside the
project: the user named the folder, whereas a lock could name any file of this host.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_version

from wheelferry_bundler.fetch.hashing import hash_file
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import Artifact, LockedPackage, LockedSet, PackageSource
from wheelferry_bundler.read.project_paths import leaves
from wheelferry_bundler.select.wheel_choice import best_wheel
from wheelferry_schemas.errors import TransferError
from wheelferry_schemas.target import Target


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """The folders that the user named, and their wheels by normalized name."""

    folders: tuple[Path, ...]
    wheels: Mapping[str, Sequence[Artifact]]

    @classmethod
    def of(cls, locations: Locations) -> Prebuilt:
        """Return the wheels in the folders of these locations."""
        wheels: dict[str, list[Artifact]] = {}
        for file_name, paths in locations.files.items():
            wheel = Artifact(file_name=file_name, path=paths[0])
            if wheel.tags:
                wheels.setdefault(wheel.name_and_version[0], []).append(wheel)
        return cls(tuple(folder.path.resolve() for folder in locations.folders), wheels)

    def complete(self, locked: LockedSet, target: Target) -> LockedSet:
        """Return `locked` with these wheels where it has none that fits the target.

        Raises `TransferError` where a wheel cannot be read.
        """
        if not self.folders:
            return locked
        packages = {
            key: self._completed(package, target) for key, package in locked.packages.items()
        }
        return dataclasses.replace(locked, packages=packages)

    def _completed(self, package: LockedPackage, target: Target) -> LockedPackage:
        own = best_wheel(package.wheels, target)
        if package.source.kind == "virtual" or own:
            return self._allowed(package, own)
        candidates = self.wheels.get(package.name, ())
        version = package.key.version
        if version is not None:
            candidates = [w for w in candidates if _version(w) == canonicalize_version(version)]
        elif len(set(map(_version, candidates))) > 1:
            # The version that the project would build as is unknown before the build.
            return package
        wheel = best_wheel(candidates, target)
        if wheel is None or wheel.path is None:
            return self._allowed(package, package.sdist)
        return dataclasses.replace(
            package, source=_source(wheel.path), wheels=(_hashed(wheel, wheel.path),), sdist=None
        )

    def _allowed(self, package: LockedPackage, file: Artifact | None) -> LockedPackage:
        """Return the package with a local source where its file lies in one of the folders."""
        if file is None or not package.source.leaves_project:
            return package
        path = file.path
        if path is None or all(leaves(folder, str(path)) for folder in self.folders):
            return package
        return dataclasses.replace(package, source=_source(path))


def _version(wheel: Artifact) -> str:
    return canonicalize_version(wheel.name_and_version[1])


def _source(path: Path) -> PackageSource:
    # Only the folder's name is shown, since the path would reveal details of this host.
    return PackageSource(kind="path", location=f"{path.parent.name}/{path.name}", path=path)


def _hashed(wheel: Artifact, path: Path) -> Artifact:
    try:
        sha256, size = hash_file(path)
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {error.strerror}") from error
    return dataclasses.replace(wheel, sha256=sha256, size=size)
