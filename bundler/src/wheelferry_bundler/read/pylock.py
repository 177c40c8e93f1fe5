"""Reads pylock.toml (PEP 751): a flat lock, in which every package carries its own marker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging import pylock
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
)

from wheelferry_bundler.model.locked import (
    Artifact,
    Dependency,
    LockedPackage,
    LockedSet,
    LockKind,
    PackageKey,
    PackageSource,
)
from wheelferry_bundler.model.urls import file_name, without_credentials
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.project_paths import confined, leaves, local_path
from wheelferry_bundler.read.toml_tables import Table, parse_toml
from wheelferry_schemas.errors import MalformedError, UsageError
from wheelferry_schemas.wheel.wheel_name import has_too_many_tags, parse_wheel_name

_SOURCES = ("vcs", "directory", "archive", "sdist", "wheels")
_STAND_IN = {"directory": {"path": "."}}
_INDEX = re.compile(r"\bpackages\[(\d+)\]")


def read_pylock(
    data: bytes,
    folder: Path,
    wanted: Wanted,
    *,
    name: str,
    kind: LockKind = "pylock.toml",
    closed: bool = False,
) -> LockedSet:
    """Read the bytes of a pylock.toml whose relative paths start at `folder`.

    `closed` means that a resolver has just produced it for the targets that it is read for.

    Raises `MalformedError`, and `UsageError` where `wanted` names an extra or a group that the
    lock does not have, or asks for something that such a lock does not record.
    """
    _check_answerable(wanted)
    lock, bare = _parse(data)
    packages: dict[PackageKey, LockedPackage] = {}
    edges = []
    for index, package in enumerate(lock.packages):
        key = PackageKey(
            name=package.name,
            version=None if package.version is None else str(package.version),
            source=f"packages[{index}]",
        )
        packages[key] = (
            _without_source(package, key) if index in bare else _package(package, folder, key)
        )
        marker = None if package.marker is None else str(package.marker)
        edges.append(Dependency(key=key, marker=marker))
    excluded = _excluded(packages.values(), wanted)
    return LockedSet(
        kind=kind,
        name=name,
        version=None,
        requires_python=lock.requires_python,
        packages=packages,
        environments=tuple(map(str, lock.environments or ())),
        edges=tuple(edges),
        excluded=excluded,
        lock_extras=_extras(lock, wanted),
        lock_groups=_groups(lock, wanted),
        outside_allowed=wanted.allow_outside_paths,
        closed=closed,
        left_out=frozenset(
            (*map(canonicalize_name, wanted.no_install_packages), *(key.name for key in excluded))
        ),
    )


def _check_answerable(wanted: Wanted) -> None:
    """Raise `UsageError` for flags about projects: a flat lock does not record their packages."""
    flags = {"--only-group": wanted.only_groups, "--package": wanted.packages}
    asked = [flag for flag, value in flags.items() if value]
    if asked:
        raise UsageError(
            f"pylock.toml does not record what {' and '.join(asked)} would leave out",
            hint="lock what you want into a pylock.toml of its own, or bundle from uv.lock",
        )


def _parse(data: bytes) -> tuple[pylock.Pylock, frozenset[int]]:
    """Return a lock, and the indexes of its packages that have no source.

    The library rejects a whole lock for one such package, and for one invalid file name.
    """
    lock = parse_toml(data, "pylock.toml")
    tables = lock.tables("packages")
    packages = [_with_usable_files(table) for table in tables]
    bare = frozenset(i for i, each in enumerate(packages) if not any(map(each.get, _SOURCES)))
    for index in bare:
        packages[index] |= _STAND_IN
    try:
        return pylock.Pylock.from_dict({**lock.data, "packages": packages}), bare
    except pylock.PylockUnsupportedVersionError as error:
        raise MalformedError(
            f"pylock.toml is of an unsupported version: {error}",
            hint="upgrade wheelferry, or lock with lock-version 1.0",
        ) from error
    except pylock.PylockValidationError as error:
        raise MalformedError(
            f"pylock.toml is not valid: {_INDEX.sub(lambda m: _named(tables, m), str(error))}",
            hint="lock the project again",
        ) from error


def _named(tables: Sequence[Table], index: re.Match[str]) -> str:
    name = tables[int(index[1])].data.get("name")
    return name if isinstance(name, str) else index[0]


def _with_usable_files(package: Table) -> dict[str, Any]:
    """Return a package without files whose names are invalid, which some indexes offer."""
    usable = dict(package.data)
    usable["wheels"] = [wheel.data for wheel in package.tables("wheels") if _is_usable(wheel)]
    if not usable["wheels"]:
        del usable["wheels"]
    if "sdist" in package and not _is_usable(package.table("sdist")):
        del usable["sdist"]
    return usable


def _name_of(file: Table) -> str:
    location = file.optional_text("url") or file.optional_text("path") or ""
    return file.optional_text("name") or file_name(location.replace("\\", "/"))


def _is_usable(file: Table) -> bool:
    """Return whether a file has a valid name, or one that the library has to reject."""
    name = _name_of(file)
    if has_too_many_tags(name):
        # The library would expand all tags of all wheels.
        raise MalformedError(f"{file.where}: the wheel has too many tags")
    if "/" in name or "\\" in name:
        return True
    try:
        if name.endswith(".whl"):
            parse_wheel_name(name)
        else:
            parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return True


def _package(package: pylock.Package, folder: Path, key: PackageKey) -> LockedPackage:
    wheels = [_artifact(wheel, folder) for wheel in package.wheels or ()]
    sdist = None if package.sdist is None else _artifact(package.sdist, folder)
    if package.archive is not None:
        artifact = _artifact(package.archive, folder)
        if artifact.file_name.endswith(".whl"):
            wheels.append(artifact)
        else:
            sdist = artifact
    return LockedPackage(
        key=key,
        source=confined(_source(package, folder), [*wheels, sdist], folder),
        wheels=tuple(wheels),
        sdist=sdist,
        requires_python=package.requires_python,
    )


def _without_source(package: pylock.Package, key: PackageKey) -> LockedPackage:
    """Return a package without source: selecting it for a target fails."""
    return LockedPackage(
        key=key,
        source=_registry(package),
        requires_python=package.requires_python,
    )


def _source(package: pylock.Package, folder: Path) -> PackageSource:
    if package.vcs is not None:
        if package.vcs.type != "git":
            raise MalformedError(
                f"pylock.toml: {package.name} comes from {package.vcs.type}",
                hint="of version control systems only git is supported",
            )
        url = package.vcs.url or package.vcs.path or ""
        return PackageSource(
            kind="git",
            location=without_credentials(url),
            url=url,
            commit=package.vcs.commit_id,
            subdirectory=package.vcs.subdirectory,
        )
    if package.directory is not None:
        return _local("directory", package.directory.path, package.directory.subdirectory, folder)
    if package.archive is not None:
        archive = package.archive
        if archive.path is not None:
            return _local("path", archive.path, archive.subdirectory, folder)
        return PackageSource(
            kind="url",
            location=without_credentials(archive.url or ""),
            url=archive.url,
            subdirectory=archive.subdirectory,
        )
    files = [*(package.wheels or ()), *((package.sdist,) if package.sdist else ())]
    outside = any(file.path is not None and leaves(folder, file.path) for file in files)
    return _registry(package, leaves_project=outside)


def _registry(package: pylock.Package, *, leaves_project: bool = False) -> PackageSource:
    return PackageSource(
        kind="registry",
        location=without_credentials(package.index) if package.index else "the index of the lock",
        leaves_project=leaves_project,
    )


def _local(kind: Any, path: str, subdirectory: str | None, folder: Path) -> PackageSource:
    return PackageSource(
        kind=kind,
        location=path,
        path=_beside(folder, path),
        subdirectory=subdirectory,
        leaves_project=leaves(folder, path),
    )


def _beside(folder: Path, path: str) -> Path:
    if "\0" in path:
        raise MalformedError(f"pylock.toml: the path {path!r} holds a NUL character")
    return folder / path


def _artifact(
    file: pylock.PackageWheel | pylock.PackageSdist | pylock.PackageArchive, folder: Path
) -> Artifact:
    hashes: Mapping[str, Any] = file.hashes
    stated = None if isinstance(file, pylock.PackageArchive) else file.name
    # A URL is looked at in any case: an invalid one is reported now.
    in_url = file_name(file.url or "")
    here = local_path(file.url or "") if file.path is None else _beside(folder, file.path)
    return Artifact(
        file_name=stated or in_url or Path(file.path or "").name,
        url=None if here else file.url,
        path=here,
        sha256=hashes.get("sha256"),
        size=file.size,
    )


def _excluded(packages: Iterable[LockedPackage], wanted: Wanted) -> frozenset[PackageKey]:
    """Return the excluded packages; the projects of a workspace are folders in its lock."""
    names = frozenset(map(canonicalize_name, wanted.no_install_packages))

    def is_excluded(package: LockedPackage) -> bool:
        kind, location = package.source.kind, package.source.location
        return (
            package.name in names
            or (wanted.no_install_project and kind == "directory" and location in ("", ".", "./"))
            or (wanted.no_install_workspace and kind == "directory")
            or (wanted.no_install_local and kind in ("directory", "path"))
        )

    return frozenset(package.key for package in packages if is_excluded(package))


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
