"""The wheels of a bundle for pip, for uv, and for whoever serves them to a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.api.defaults import silent
from wheelferry_installer.plan.install_options import Progress
from wheelferry_installer.unpack.unpack_options import UnpackOptions
from wheelferry_schemas.errors import in_families

if TYPE_CHECKING:
    from wheelferry_installer.unpack.index_writing import IndexGrowth
    from wheelferry_installer.unpack.uv_unpacking import Unpacked
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_schemas.bundle.manifest import Manifest


@in_families
def narrow(manifest: Manifest, targets: Sequence[str]) -> Manifest:
    """Return the manifest of what some targets need, by their ids; of all where none is named."""
    from wheelferry_installer.plan.narrowing import narrowed

    return narrowed(manifest, targets)


@in_families
def unpack(
    bundle: VerifiedBundle,
    folder: Path,
    options: UnpackOptions = UnpackOptions(),  # noqa: B008 - it is frozen
    *,
    on_progress: Progress | None = None,
) -> Unpacked:
    """Write wheels and documents into a folder, which has to be new or empty."""
    from wheelferry_installer.unpack.uv_unpacking import unpack_for_pip

    return unpack_for_pip(bundle, folder, options, on_progress or silent)


@in_families
def unpack_for_uv(
    bundle: VerifiedBundle,
    folder: Path,
    project: Path,
    options: UnpackOptions = UnpackOptions(),  # noqa: B008 - it is frozen
    *,
    editable: bool = False,
    in_place: bool = False,
    on_progress: Progress | None = None,
) -> Unpacked:
    """Do the same, with a copy of the project's uv.lock that takes everything from the folder.

    `editable` installs the project as it lies there; `in_place` replaces the lock in the project,
    until `restore_lock`. Raises `UnfitError` where the lock calls for what the bundle has not.
    """
    from wheelferry_installer.unpack import uv_unpacking

    return uv_unpacking.unpack_for_uv(
        bundle,
        folder,
        project,
        options,
        on_progress or silent,
        editable=editable,
        in_place=in_place,
    )


@in_families
def restore_lock(project: Path, *, sync: bool = True) -> bool:
    """Put back the uv.lock that `unpack_for_uv` replaced; False where it replaced none."""
    from wheelferry_installer.unpack import lock_overlay

    return lock_overlay.undo(project, sync=sync)


@in_families
def write_index(
    bundle: VerifiedBundle,
    folder: Path,
    options: UnpackOptions = UnpackOptions(),  # noqa: B008 - it is frozen
    *,
    on_progress: Progress | None = None,
) -> IndexGrowth:
    """Make a package index that any web server can serve, or add a bundle's wheels to it."""
    from wheelferry_installer.unpack import index_writing

    part = narrow(bundle.manifest, options.targets)
    return index_writing.write_index(bundle, part, folder, on_progress or silent, sync=options.sync)
