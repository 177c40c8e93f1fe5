"""Unpacks a bundle for pip or uv; for uv with a lock that takes everything from the folder."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from wheelferry_installer.plan.narrowing import narrowed
from wheelferry_installer.system import disk
from wheelferry_installer.unpack import lock_overlay, unpacking, uv_project
from wheelferry_installer.unpack.unpack_options import UnpackOptions
from wheelferry_installer.unpack.uv_project import UvProject
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_schemas.bundle.layout import requirements_name
from wheelferry_schemas.bundle.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A bundle that was unpacked, and the command that installs from it.

    `part` is the manifest of what was taken. For uv, `lock` is the lock that takes everything from
    the folder; `is_other_lock` where the bundle was made from another one, which does as well.
    """

    folder: Path
    part: Manifest
    command: str
    lock: Path | None = None
    is_other_lock: bool = False


def unpack_for_pip(
    bundle: VerifiedBundle,
    folder: Path,
    options: UnpackOptions,
    on_progress: Callable[[str, int], None],
) -> Unpacked:
    """Write wheels and documents into `folder`, which has to be new or empty."""
    part = narrowed(bundle.manifest, options.targets)
    unpacking.unpack(bundle, part, folder, on_progress, more={}, sync=options.sync)
    alone = len(bundle.manifest.targets) == 1
    requirements = requirements_name(part.targets[0].id, alone=alone)
    command = (
        f"cd {shlex.quote(os.fspath(folder))} && pip install --no-index --find-links wheels "
        f"--require-hashes -r {requirements}"
    )
    return Unpacked(folder=folder, part=part, command=command)


def unpack_for_uv(
    bundle: VerifiedBundle,
    folder: Path,
    project: Path,
    options: UnpackOptions,
    on_progress: Callable[[str, int], None],
    *,
    editable: bool,
    in_place: bool,
) -> Unpacked:
    """Do the same, and write a copy of the project's uv.lock that takes everything from `folder`.

    It lies in `folder`, or `in_place` of the project's own, until `lock_overlay.undo`. Raises
    `ConflictError` where that was done before, and `UnfitError` where the lock calls for what the
    bundle has not; then nothing was changed.
    """
    lock_overlay.refuse_overlaid(project)
    part = narrowed(bundle.manifest, options.targets)
    read = UvProject.read(project)
    place, wheels = project if in_place else folder, folder / unpacking.WHEELS
    relocated = read.relocated(part, wheels, place, editable=editable)
    lock = tomli_w.dumps(relocated.lock).encode()
    more = {uv_project.LOCK: lock, **read.files(), **uv_project.settings(unpacking.WHEELS)}
    if in_place:
        more = {}
    unpacking.unpack(bundle, part, folder, on_progress, more=more, sync=options.sync)
    sources: list[str] = []
    if in_place:
        sources = ["--no-index", "--find-links", os.path.abspath(wheels)]
        try:
            lock_overlay.put_in_place(project, lock, sync=options.sync)
        except BaseException:
            disk.remove(folder)
            raise
    return Unpacked(
        folder=folder,
        part=part,
        command=uv_project.command(place, part, sources),
        lock=place / uv_project.LOCK,
        is_other_lock=read.sha256 != part.made_from.sha256,
    )
