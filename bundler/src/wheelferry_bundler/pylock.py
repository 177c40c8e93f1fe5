"""Reads pylock.toml (PEP 751): a flat lock, in which every package carries its own marker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging import pylock
from packaging.utils import canonicalize_name

from wheelferry_bundler.locked import (
    Artifact,
    Dependency,
    LockedPackage,
    LockedSet,
    LockKind,
    PackageKey,
    PackageSource,
    Wanted,
)
from wheelferry_bundler.toml_tables import parse_toml
from wheelferry_bundler.urls import file_name, without_credentials
from wheelferry_schemas.errors import MalformedError, UsageError


def read_pylock(
    data: bytes, folder: Path, wanted: Wanted, *, name: str, kind: LockKind = "pylock.toml"
) -> LockedSet:
    """Read the bytes of a pylock.toml whose relative paths start at `folder`.

    Raises `MalformedError`, and `UsageError` where `wanted` names an extra or a group that the
    lock does not have.
    """
    lock = _parse(data)
    packages: dict[PackageKey, LockedPackage] = {}
    edges = []
    for index, package in enumerate(lock.packages):
        locked = _package(package, folder, index)
        if locked.key in packages:
            raise MalformedError(f"pylock.toml: packages[{index}]: {locked.key} is listed twice")
        packages[locked.key] = locked
        marker = None if package.marker is None else str(package.marker)
        edges.append(Dependency(key=locked.key, marker=marker))
    return LockedSet(
        kind=kind,
        name=name,
        version=None,
        requires_python=lock.requires_python,
        packages=packages,
        edges=tuple(edges),
        excluded=frozenset(map(canonicalize_name, wanted.no_install_packages)),
        lock_extras=_extras(lock, wanted),
        lock_groups=_groups(lock, wanted),
    )


def _parse(data: bytes) -> pylock.Pylock:
    try:
        return pylock.Pylock.from_dict(parse_toml(data, "pylock.toml").data)
    except pylock.PylockUnsupportedVersionError as error:
        raise MalformedError(
            f"pylock.toml is of an unsupported version: {error}",
            hint="upgrade wheelferry, or lock with lock-version 1.0",
        ) from error
    except pylock.PylockValidationError as error:
        raise MalformedError(f"pylock.toml is not valid: {error}") from error


def _package(package: pylock.Package, folder: Path, index: int) -> LockedPackage:
    version = None if package.version is None else str(package.version)
    source = _source(package, folder)
    wheels = [_artifact(wheel, folder) for wheel in package.wheels or ()]
    sdist = None if package.sdist is None else _artifact(package.sdist, folder)
    if package.archive is not None:
        artifact = _artifact(package.archive, folder)
        if artifact.file_name.endswith(".whl"):
            wheels.append(artifact)
        else:
            sdist = artifact
    return LockedPackage(
        key=PackageKey(name=package.name, version=version, source=f"packages[{index}]"),
        source=source,
        wheels=tuple(wheels),
        sdist=sdist,
    )


def _source(package: pylock.Package, folder: Path) -> PackageSource:
    if package.vcs is not None:
        if package.vcs.type != "git":
            raise MalformedError(f"pylock.toml: {package.name} comes from {package.vcs.type}")
        url = package.vcs.url or package.vcs.path or ""
        return PackageSource(
            kind="git",
            location=without_credentials(url),
            url=url,
            commit=package.vcs.commit_id,
            subdirectory=package.vcs.subdirectory,
        )
    if package.directory is not None:
        path = package.directory.path
        return PackageSource(
            kind="directory",
            location=path,
            path=folder / path,
            subdirectory=package.directory.subdirectory,
        )
    if package.archive is not None:
        if package.archive.path is not None:
            path = package.archive.path
            return PackageSource(kind="path", location=path, path=folder / path)
        return PackageSource(kind="url", location=without_credentials(package.archive.url or ""))
    index = without_credentials(package.index) if package.index else "the index of the lock"
    return PackageSource(kind="registry", location=index)


def _artifact(
    file: pylock.PackageWheel | pylock.PackageSdist | pylock.PackageArchive, folder: Path
) -> Artifact:
    hashes: Mapping[str, Any] = file.hashes
    stated = None if isinstance(file, pylock.PackageArchive) else file.name
    name = stated or file_name(file.url or file.path or "")
    return Artifact(
        file_name=name,
        url=file.url,
        path=None if file.path is None else folder / file.path,
        sha256=hashes.get("sha256"),
        size=file.size,
    )


def _extras(lock: pylock.Pylock, wanted: Wanted) -> frozenset[str]:
    known = frozenset(map(canonicalize_name, lock.extras or ()))
    asked = frozenset(map(canonicalize_name, wanted.extras))
    _check_known("extra", asked, known)
    chosen = known if wanted.all_extras else asked
    return chosen - frozenset(map(canonicalize_name, wanted.no_extras))


def _groups(lock: pylock.Pylock, wanted: Wanted) -> frozenset[str]:
    known = frozenset(map(canonicalize_name, lock.dependency_groups or ()))
    defaults = frozenset(map(canonicalize_name, lock.default_groups or ()))
    asked = frozenset(map(canonicalize_name, wanted.groups))
    _check_known("group", asked, known | defaults)
    chosen = asked if wanted.no_default_groups else asked | defaults
    if wanted.all_groups:
        chosen |= known
    return chosen - frozenset(map(canonicalize_name, wanted.no_groups))


def _check_known(what: str, asked: frozenset[str], known: frozenset[str]) -> None:
    unknown = sorted(asked - known)
    if unknown:
        raise UsageError(
            f"pylock.toml has no {what} {', '.join(map(repr, unknown))}",
            hint=f"it has: {', '.join(sorted(known)) or 'none'}",
        )
