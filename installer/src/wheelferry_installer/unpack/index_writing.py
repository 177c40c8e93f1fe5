"""Adds the wheels of a verified bundle to a static index.

Wheels are written first, then the pages of projects, then those that list the projects, each by a
rename: a server may keep serving meanwhile. If a step fails, the previous ones are undone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from installer.utils import parse_metadata_file

from wheelferry_installer.environment.distributions import digest_of
from wheelferry_installer.system import disk, own_folder
from wheelferry_installer.system.folder_lock import held
from wheelferry_installer.system.open_folder import OpenFolder, is_link, opened
from wheelferry_installer.unpack import index_pages
from wheelferry_installer.unpack.index_pages import FILES, JSON, SIMPLE, IndexedFile
from wheelferry_installer.unpack.unpacking import WHEELS, placed, size_of, write_members
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_installer.wheel.record import spell
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.bundle.manifest import Manifest, Package
from wheelferry_schemas.errors import ConflictError

_CONTROL = ".wheelferry"
_STAGING = "staging"
_METADATA_LIMIT = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexGrowth:
    """What was added to an index: the number of new wheels, and of those already present.

    `kept` are built wheels for which the index keeps a file with different content.
    """

    added: int
    present: int
    kept: tuple[str, ...] = ()


def write_index(
    bundle: VerifiedBundle,
    part: Manifest,
    folder: Path,
    on_progress: Callable[[str, int], None],
    *,
    sync: bool = True,
) -> IndexGrowth:
    """Create an index in `folder`, or add the wheels of a part of a bundle to it.

    Existing files are never replaced. A wheel that was built again for the same version is left
    out. Raises `ConflictError` if another wheel differs from the file of its name, or if `folder`
    is no index; then nothing was changed.
    """
    folder = Path(os.path.realpath(folder))
    if not folder.is_dir() or not any(folder.iterdir()):
        with placed(folder, size_of(part), sync=sync) as staging:
            _stage(bundle, part, staging, staging, on_progress)
        return IndexGrowth(added=len(part.packages), present=0)
    if not (folder / SIMPLE / JSON).is_file():
        raise ConflictError(
            f"{folder} is neither empty nor an index that wheelferry made",
            hint="name a folder that is new or empty",
        )
    try:
        with held(folder / _CONTROL, folder, None) as lock, opened(folder) as index:
            return _grow(bundle, part, (lock.folder, index), on_progress, sync=sync)
    except OSError as error:
        what = f"{folder} could not be written"
        raise disk.failure(what, error, kept="nothing was changed") from error


def _grow(
    bundle: VerifiedBundle,
    part: Manifest,
    folders: tuple[OpenFolder, OpenFolder],
    on_progress: Callable[[str, int], None],
    *,
    sync: bool,
) -> IndexGrowth:
    control, index = folders
    present, kept = _compare(part, index.path)
    if kept:
        part = part.replaced(packages=tuple(p for p in part.packages if p.wheel not in kept))
    disk.require_room(index.path, size_of(part))
    control.remove(_STAGING)
    control.make(_STAGING)
    try:
        staging = control.path / _STAGING
        _stage(bundle, part, staging, index.path, on_progress)
        paths = _in_order(staging)
        _refuse_links(index, paths)
        own_folder.refuse_moved(control)
        if sync:
            disk.sync_file_system(staging)
        with contextlib.ExitStack() as way_back:
            for path in paths:
                _add(control, index, path, way_back)
            if sync:
                disk.sync_file_system(index.path)
            way_back.pop_all()
    finally:
        control.remove(_STAGING)
    return IndexGrowth(added=len(part.packages) - present, present=present, kept=kept)


def _in_order(staging: Path) -> list[str]:
    """Return the files below `staging`, each after the files that it links to."""
    paths = (path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    in_order = sorted(paths, key=lambda path: (path.parts[0] != FILES, -len(path.parts), path))
    return [path.as_posix() for path in in_order]


def _refuse_links(index: OpenFolder, paths: list[str]) -> None:
    """Raise `ConflictError` if anything would be written through a link."""
    on_the_way = {index.first_link(path) for path in paths}
    links = {path for path in paths if (found := index.status(path)) and is_link(found)}
    links |= {link for link in on_the_way if link is not None}
    if links:
        raise ConflictError(
            f"{index.path} cannot be changed through links",
            details=[f"{link} is a link" for link in sorted(links)],
            hint="replace each link by a real file or folder",
        )


def _add(control: OpenFolder, index: OpenFolder, path: str, way_back: contextlib.ExitStack) -> None:
    """Move a file into an index, and register how to undo that."""
    folder = posixpath.dirname(path)
    if index.has(path):
        if folder == FILES:
            return
        way_back.callback(index.write, path, index.read(path), sync=False)
    else:
        if not index.has(folder):
            index.make(folder)
            way_back.callback(index.remove_empty, folder)
        way_back.callback(index.remove, path)
    control.rename(f"{_STAGING}/{path}", index, path)


def _compare(part: Manifest, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Return how many of these wheels are present, and which are present as another build.

    Raises `ConflictError` for others that differ: a published file never changes.
    """
    present = 0
    kept, problems = [], []
    for package in part.packages:
        path = folder / FILES / package.wheel
        if not os.path.lexists(path):
            continue
        digest = spell("sha256", bytes.fromhex(package.sha256))
        if path.is_file() and digest_of(path, digest) == digest:
            present += 1
        elif path.is_file() and package.source.built:
            kept.append(package.wheel)
        else:
            problems.append(f"{package.wheel} is there with another content")
    if problems:
        raise ConflictError(
            f"{folder} has other files than the bundle",
            details=problems,
            hint="find out which of the two files is the right one; a separate index takes this bundle",
        )
    return present, tuple(kept)


def _stage(
    bundle: VerifiedBundle,
    part: Manifest,
    staging: Path,
    index: Path,
    on_progress: Callable[[str, int], None],
) -> None:
    """Write all new files of `index` into `staging`, and remove everything else there."""
    unpacked = staging / "unpacked"
    wheels = unpacked / WHEELS
    wheels.mkdir(parents=True)
    added: list[tuple[str, IndexedFile]] = []

    def take_metadata(package: Package, wheel: VerifiedWheel) -> None:
        metadata = wheel.read_dist_info("METADATA", _METADATA_LIMIT).encode()
        (wheels / f"{package.wheel}.metadata").write_bytes(metadata)
        added.append((package.name, _indexed(package, metadata)))

    write_members(bundle, part, unpacked, on_progress, take_metadata)
    wheels.rename(staging / FILES)
    disk.remove(unpacked)
    by_project: dict[str, dict[str, IndexedFile]] = {}
    for name, file in added:
        if name not in by_project:
            by_project[name] = _listed(index, name)
        by_project[name][file.file_name] = file
    root = index / SIMPLE / JSON
    names = set(by_project)
    if root.is_file():
        names.update(index_pages.read_root_page(root.read_bytes(), os.fspath(root)))
    pages = index_pages.root_pages(names)
    for name, indexed in by_project.items():
        pages.update(index_pages.project_pages(name, indexed.values()))
    for path, data in pages.items():
        (staging / path).parent.mkdir(parents=True, exist_ok=True)
        (staging / path).write_bytes(data)


def _listed(index: Path, name: str) -> dict[str, IndexedFile]:
    """Return the files of a project that an index lists, by name."""
    page = index / SIMPLE / name / JSON
    if not page.is_file():
        return {}
    files = index_pages.read_project_page(page.read_bytes(), os.fspath(page))
    return {file.file_name: file for file in files}


def _indexed(package: Package, metadata: bytes) -> IndexedFile:
    return IndexedFile(
        file_name=package.wheel,
        sha256=package.sha256,
        size=package.size,
        requires_python=parse_metadata_file(metadata.decode())["Requires-Python"],
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )
