"""Relocates a uv.lock, so that it takes packages from a folder of a bundle's wheels; pure.

- A package is found in the bundle by the hash of a wheel in the lock. Packages that were built from
  source, or prebuilt, are found by name and version.
- Its registry becomes the folder. Its hashes stay; source archives and wheels that are not in the
  bundle are dropped.
- A folder of the project without a wheel in the bundle stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name, canonicalize_version

from wheelferry_installer.unpack import project_lock
from wheelferry_installer.unpack.project_lock import Key
from wheelferry_installer.unpack.toml_text import tables
from wheelferry_schemas.bundle.manifest import Manifest, Package

_KINDS = {"editable": "directory", "virtual": "directory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocated:
    """A relocated lock, and the packages of the old one that were found in the folder."""

    lock: dict[str, Any]
    found: frozenset[Key]


def relocate(
    lock: dict[str, Any],
    manifest: Manifest,
    folder: str,
    *,
    editable: Mapping[str, str],
    trusted: bool,
) -> Relocated:
    """Return `lock` with the wheels of a bundle in `folder`, which is relative to the new lock.

    `editable` maps names of packages to the folders of their editable installations. A lock is
    `trusted` if the bundle was made from it: it may then refer to wheels that it does not list.
    """
    lock = copy.deepcopy(lock)
    sources: dict[Key, dict[str, str]] = {}
    taken: set[tuple[str, str | None, str]] = set()
    found = set()
    for package in tables(lock, "package"):
        old = project_lock.key(package)
        name, version, _ = old
        wheels = _wheels_of(package, manifest.packages, trusted=trusted)
        if wheels:
            found.add(old)
        if name in editable and project_lock.local_folder(package) is not None:
            package["source"] = {"editable": editable[name]}
        elif wheels or project_lock.local_folder(package) is None:
            registry = folder
            # Two indexes may have the same version; uv distinguishes them by their spelling.
            while (name, version, registry) in taken:
                registry = f"./{registry}"
            taken.add((name, version, registry))
            package["source"] = {"registry": registry}
            package.setdefault("version", wheels[0].version if wheels else "0")
            package.pop("sdist", None)
            package.pop("wheels", None)
            if wheels:
                package["wheels"] = [
                    {"path": wheel.wheel, "hash": f"sha256:{wheel.sha256}", "size": wheel.size}
                    for wheel in wheels
                ]
        sources[old] = package["source"]
    for package in tables(lock, "package"):
        for edge in project_lock.edges(package):
            if "source" in edge:
                edge["source"] = sources.get(project_lock.key(edge), edge["source"])
    return Relocated(lock=lock, found=frozenset(found))


def _wheels_of(
    package: dict[str, Any], wheels: Iterable[Package], *, trusted: bool
) -> list[Package]:
    """Return the bundle's wheels of a package of the lock."""
    listed = {wheel.get("hash") for wheel in tables(package, "wheels")}
    name, version, _ = project_lock.key(package)
    named = [wheel for wheel in wheels if wheel.name == canonicalize_name(name)]
    by_hash = [wheel for wheel in named if f"sha256:{wheel.sha256}" in listed]
    if by_hash:
        return by_hash
    kinds = {_KINDS.get(kind, kind) for kind in package["source"]}
    return [
        wheel
        for wheel in named
        if (version is None or canonicalize_version(wheel.version) == canonicalize_version(version))
        and wheel.source.kind in kinds
        and (wheel.source.built or trusted)
    ]
