"""Turns the options of a bundle, from the command line or a program, into a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_bundler.model.wanted import Wanted
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.create.bundle_plan import Request
    from wheelferry_bundler.read.inputs import Source
    from wheelferry_schemas.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOptions(Wanted):
    """What a bundle contains and where it comes from: the flags of `bundle create`.

    `extras`, `groups`, `packages` and the like select as in `uv sync`. `name` is by default the
    project's. Hosts refuse the bundle from `expires` on. `python_archives` are `FILE` or
    `TARGET=FILE`, `config_settings` are `KEY=VALUE`. `find_links` are folders of wheels,
    `index_urls` are indexes or mirrors to try before the locked URLs. Raises `UsageError` for
    options that exclude each other.
    """

    name: str | None = None
    expires: int | None = None
    python_archives: tuple[str, ...] = ()
    find_links: tuple[Path, ...] = ()
    index_urls: tuple[str, ...] = ()
    no_build: bool = False
    no_build_packages: tuple[str, ...] = ()
    config_settings: tuple[str, ...] = ()
    with_build_deps: bool = False
    allow_missing_hash: bool = False

    def __post_init__(self) -> None:
        if self.only_groups and (self.groups or self.extras or self.all_extras):
            raise UsageError(
                "--only-group excludes --group and --extra",
                hint="name every group that you want with --only-group",
            )
        if self.packages and self.all_packages:
            raise UsageError(
                "--package and --all-packages exclude each other", hint="leave one of them out"
            )
        if self.name is not None:
            from wheelferry_bundler.model import bundle_names

            bundle_names.checked(self.name)


def request_for(source: Source, targets: Sequence[Target], options: CreateOptions) -> Request:
    """Return the request; raises `UsageError` without targets, else as `read_python_archives`."""
    from packaging.utils import canonicalize_name

    from wheelferry_bundler.create.bundle_plan import Request
    from wheelferry_bundler.fetch.python_archives import read_python_archives
    from wheelferry_bundler.fetch.wheel_folders import list_folders
    from wheelferry_bundler.model import bundle_names
    from wheelferry_bundler.model.locations import Locations
    from wheelferry_bundler.model.options import BuildOptions
    from wheelferry_bundler.read.inputs import indexes_of

    if not targets:
        raise UsageError("there is no target to plan for", hint="pass what make_targets() returns")
    return Request(
        source=source,
        name=None if options.name is None else bundle_names.checked(options.name),
        targets=tuple(targets),
        wanted=Wanted(**{field.name: getattr(options, field.name) for field in fields(Wanted)}),
        building=BuildOptions(
            no_build=options.no_build,
            no_build_packages=frozenset(map(canonicalize_name, options.no_build_packages)),
            config_settings=options.config_settings,
            locations=Locations(
                folders=list_folders(options.find_links),
                mirrors=tuple(options.index_urls),
                indexes=indexes_of(source),
            ),
        ),
        pythons=read_python_archives(options.python_archives, targets),
        build_dependencies=options.with_build_deps,
        missing_hashes=options.allow_missing_hash,
        expires=options.expires,
    )
