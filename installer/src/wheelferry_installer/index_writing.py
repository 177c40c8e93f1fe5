"""Writes the wheels of a verified bundle into a static index; what is there already only grows.

Wheels come first, then the pages of projects, then those that list the projects, each by a rename:
a server may go on serving all the while. Where that fails, what was done is taken back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from installer.utils import parse_metadata_file

from wheelferry_installer import disk, simple_index
from wheelferry_installer.installed import digest_of, spelled
from wheelferry_installer.locks import held
from wheelferry_installer.simple_index import FILES, JSON, SIMPLE, IndexedFile
from wheelferry_installer.unpacking import placed, write_members
from wheelferry_installer.verification import VerifiedBundle
from wheelferry_installer.wheel_source import VerifiedWheel
from wheelferry_schemas import layout
from wheelferry_schemas.errors import ConflictError, TransferError
from wheelferry_schemas.manifest import Package

_CONTROL = ".wheelferry"
_METADATA_LIMIT = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What an index got: how many wheels were added, and how many were there already."""

    added: int
    present: int


def write_index(
    bundle: VerifiedBundle,
    folder: Path,
    on_progress: Callable[[str, int], None],
    *,
    sync: bool = True,
) -> Grown:
    """Make an index in `folder`, or add a bundle's wheels to the one that is there.

    Raises `ConflictError` where a file of that name is there with another content, or something
    that is no index; then nothing was changed.
    """
    folder = Path(os.path.realpath(folder))
    if not folder.is_dir() or not any(folder.iterdir()):
        with placed(folder, _size(bundle), sync=sync) as staging:
            _stage(bundle, staging, staging, on_progress)
        return Grown(added=len(bundle.manifest.packages), present=0)
    if not (folder / SIMPLE / JSON).is_file():
        raise ConflictError(
            f"{folder} is neither empty nor an index that wheelferry made",
            hint="name a folder that is new or empty",
        )
    try:
        with held(folder / _CONTROL, folder, None):
            return _grow(bundle, folder, on_progress, sync=sync)
    except OSError as error:
        raise TransferError(
            f"{folder} could not be written: {error.strerror or error}",
            hint="nothing was changed; free space or check the rights, and try again",
        ) from error


def _grow(
    bundle: VerifiedBundle, folder: Path, on_progress: Callable[[str, int], None], *, sync: bool
) -> Grown:
    present = _refuse_others(bundle, folder)
    disk.require_room(folder, _size(bundle))
    staging = folder / _CONTROL / "staging"
    disk.remove(staging)
    staging.mkdir()
    try:
        _stage(bundle, staging, folder, on_progress)
        if sync:
            disk.sync_file_system(staging)
        with contextlib.ExitStack() as way_back:
            for path in _in_order(staging):
                _add(staging / path, folder / path, way_back)
            if sync:
                disk.sync_file_system(folder)
            way_back.pop_all()
    finally:
        disk.remove(staging)
    return Grown(added=len(bundle.manifest.packages) - present, present=present)


def _in_order(staging: Path) -> list[Path]:
    """Return the files below `staging` so that each comes after what it links to."""
    paths = (path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    return sorted(paths, key=lambda path: (path.parts[0] != FILES, -len(path.parts), path))


def _add(source: Path, target: Path, way_back: contextlib.ExitStack) -> None:
    """Move a file into an index, and tell how to take that back."""
    if target.exists():
        if target.parent.name == FILES:
            return
        way_back.callback(disk.write_whole, target, target.read_bytes(), sync=False)
    else:
        if not target.parent.exists():
            target.parent.mkdir()
            way_back.callback(target.parent.rmdir)
        way_back.callback(target.unlink, missing_ok=True)
    os.replace(source, target)


def _refuse_others(bundle: VerifiedBundle, folder: Path) -> int:
    """Return how many of a bundle's wheels are there; refuse those with another content."""
    present = 0
    problems = []
    for package in bundle.manifest.packages:
        path = folder / FILES / package.wheel
        if not os.path.lexists(path):
            continue
        present += 1
        digest = spelled("sha256", bytes.fromhex(package.sha256))
        if not path.is_file() or digest_of(path, digest) != digest:
            problems.append(f"{package.wheel} is there with another content")
    if problems:
        raise ConflictError(
            f"{folder} has other files than the bundle",
            details=problems,
            hint="one of the two was built anew under the same version: make a separate index",
        )
    return present


def _stage(
    bundle: VerifiedBundle, staging: Path, index: Path, on_progress: Callable[[str, int], None]
) -> None:
    """Write all files that `index` gets into `staging`, of which nothing else is left."""
    unpacked = staging / "unpacked"
    unpacked.mkdir()
    write_members(bundle, unpacked, on_progress)
    (staging / FILES).mkdir()
    by_project: dict[str, dict[str, IndexedFile]] = {}
    for package in bundle.manifest.packages:
        wheel = staging / FILES / package.wheel
        (unpacked / layout.wheel_name(package.wheel)).rename(wheel)
        metadata = _metadata_of(wheel)
        wheel.with_name(f"{package.wheel}.metadata").write_bytes(metadata)
        files = by_project.setdefault(package.name, _listed(index, package.name))
        files[package.wheel] = _indexed(package, metadata)
    disk.remove(unpacked)
    root = index / SIMPLE / JSON
    names = set(by_project)
    if root.is_file():
        names.update(simple_index.read_root_page(root.read_bytes(), os.fspath(root)))
    pages = simple_index.root_pages(names)
    for name, indexed in by_project.items():
        pages.update(simple_index.project_pages(name, indexed.values()))
    for path, data in pages.items():
        (staging / path).parent.mkdir(parents=True, exist_ok=True)
        (staging / path).write_bytes(data)


def _listed(index: Path, name: str) -> dict[str, IndexedFile]:
    """Return the files of a project that an index lists, by name."""
    page = index / SIMPLE / name / JSON
    if not page.is_file():
        return {}
    files = simple_index.read_project_page(page.read_bytes(), os.fspath(page))
    return {file.file_name: file for file in files}


def _metadata_of(wheel: Path) -> bytes:
    with wheel.open("rb") as file:
        source = VerifiedWheel(file, wheel.name)
        return source.read_dist_info("METADATA", _METADATA_LIMIT).encode()


def _indexed(package: Package, metadata: bytes) -> IndexedFile:
    return IndexedFile(
        file_name=package.wheel,
        sha256=package.sha256,
        size=package.size,
        requires_python=parse_metadata_file(metadata.decode())["Requires-Python"],
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )


def _size(bundle: VerifiedBundle) -> int:
    return sum(member.size for member in bundle.members)
