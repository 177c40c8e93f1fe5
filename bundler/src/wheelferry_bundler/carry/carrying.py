"""The options of a file that carries the installer, and how it is made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_schemas.target import Target

if TYPE_CHECKING:
    from wheelferry_bundler.carry.self_contained_writer import CarriedFile
    from wheelferry_bundler.create.creation import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOptions:
    """The bundle that a self-contained file installs, if any, and where the installer comes from.

    `find_links` and `index_urls` have the meaning that they have in `CreateOptions`.
    """

    bundle: Path | None = None
    find_links: tuple[Path, ...] = ()
    index_urls: tuple[str, ...] = ()


def carry_installer(
    output: Path, targets: Sequence[Target], options: CarryOptions, progress: Progress
) -> CarriedFile:
    """Write the installer as one file; without targets for those of the bundle in `options`.

    Raises `UnfitError` if it runs on none of them, `TransferError` if it cannot be fetched or
    written.
    """
    from wheelferry_bundler.carry import installer_files, self_contained_writer
    from wheelferry_bundler.fetch.cache import Cache
    from wheelferry_bundler.fetch.wheel_folders import list_folders
    from wheelferry_bundler.model.locations import Locations
    from wheelferry_bundler.model.options import BuildOptions
    from wheelferry_bundler.write.existing_bundle import read_manifest

    if not targets and options.bundle is not None:
        targets = read_manifest(options.bundle).targets
    locations = Locations(folders=list_folders(options.find_links), mirrors=options.index_urls)
    installer = installer_files.pack_installer(
        targets, BuildOptions(locations=locations), Cache.default(), progress
    )
    return self_contained_writer.write_self_contained(output, installer, options.bundle)
