"""Unpacks a verified bundle: into a folder beside the final one, which is moved when complete."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from wheelferry_installer.system import disk, own_folder
from wheelferry_installer.system.folder_lock import held
from wheelferry_installer.system.open_folder import OpenFolder, opened
from wheelferry_installer.verify.verification import VerifiedBundle, for_all_members
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.layout import Member
from wheelferry_schemas.bundle.manifest import Manifest, Package
from wheelferry_schemas.errors import ConflictError, UsageError

WHEELS = "wheels"
_CONTROL = ".{}.unpacking"
_STAGING = "staging"


def unpack(
    bundle: VerifiedBundle,
    part: Manifest,
    folder: Path,
    on_progress: Callable[[str, int], None],
    *,
    more: Mapping[str, bytes],
    sync: bool = True,
) -> None:
    """Write a part of a bundle, and `more` files, into `folder`, which must be new or empty.

    Manifest and signatures are those of the whole bundle. Raises `ConflictError`,
    `MalformedError`, `TransferError`; then nothing was changed.
    """
    with placed(folder, size_of(part), sync=sync) as staging:
        write_members(bundle, part, staging, on_progress)
        head = {member.name: member.content for member in bundle.signature_members}
        for name, data in {layout.MANIFEST: bundle.manifest_bytes, **head, **more}.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def size_of(part: Manifest) -> int:
    """Return the size of a manifest's documents, interpreters and wheels in bytes."""
    return sum(member.size for member in layout.members(part))


def write_members(
    bundle: VerifiedBundle,
    part: Manifest,
    staging: Path,
    on_progress: Callable[[str, int], None],
    on_wheel: Callable[[Package, VerifiedWheel], None] = lambda _package, _wheel: None,
) -> None:
    """Write documents and wheels below `staging`, and check them as `verify` does.

    `part` is the bundle's manifest, or that of some targets: nothing else is read. `on_wheel` is
    called with each written wheel. Raises `MalformedError` that names all problems.
    """
    members = set(layout.members(part))
    packages = {layout.wheel_name(package.wheel): package for package in part.packages}

    def write(member: Member) -> None:
        if member not in members:
            return
        path = staging / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("w+b") as file:
                bundle.read(member, file.write)
                if member.name in packages:
                    package = packages[member.name]
                    on_wheel(package, VerifiedWheel(file, package.wheel))
        finally:
            on_progress(member.name, member.size)

    for_all_members(bundle, write)


@contextlib.contextmanager
def placed(folder: Path, size: int, *, sync: bool) -> Iterator[Path]:
    """Yield a folder to fill with about `size` bytes, and move it to `folder` afterwards.

    `folder` must be new or empty. The yielded one is in a control folder beside it, which the next
    run clears if this one is killed.
    """
    folder = Path(os.path.realpath(folder))
    if not folder.parent.is_dir():
        raise UsageError(f"{folder.parent} is not a folder", hint="make it, or choose another one")
    refuse_full(folder)
    disk.require_room(folder.parent, size)
    control = folder.with_name(_CONTROL.format(folder.name))
    try:
        with held(control, folder, None) as lock, opened(folder.parent) as site:
            lock.folder.remove(_STAGING)
            lock.folder.make(_STAGING)
            try:
                yield control / _STAGING
                _move(lock.folder, site, folder, sync=sync)
            finally:
                lock.folder.remove(_STAGING)
    except OSError as error:
        what = f"{folder} could not be written"
        raise disk.failure(what, error, kept="nothing was changed") from error


def refuse_full(folder: Path) -> None:
    """Raise `ConflictError` unless `folder` is absent or empty."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise ConflictError(f"{folder} is a file", hint="name a folder that is new or empty")
    if any(folder.iterdir()):
        raise ConflictError(
            f"{folder} is not empty", hint="name a folder that is new or empty, or move that away"
        )


def _move(control: OpenFolder, site: OpenFolder, folder: Path, *, sync: bool) -> None:
    own_folder.refuse_moved(control)
    if sync:
        disk.sync_file_system(control.path / _STAGING)
    # Something may have appeared there meanwhile.
    refuse_full(folder)
    there = site.status(folder.name)
    if there is not None:
        control.chmod(_STAGING, stat.S_IMODE(there.st_mode))
        if sys.platform == "win32":
            folder.rmdir()
    control.rename(_STAGING, site, folder.name)
    if sync:
        site.sync()
