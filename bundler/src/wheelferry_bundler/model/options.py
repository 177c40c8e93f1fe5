"""Which packages may be built, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import LockedPackage
from wheelferry_schemas.errors import UnfitError


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """The options for builds.

    `config_settings` are `KEY=VALUE` for build backends, `constraints` apply to build requirements,
    in pip's syntax. Build requirements, and wheels that make a build unnecessary, are looked for
    in `locations`.
    """

    no_build: bool = False
    no_build_packages: frozenset[str] = frozenset()
    config_settings: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    locations: Locations = field(default_factory=Locations)


def check_allowed(package: LockedPackage, options: BuildOptions) -> None:
    """Raise `UnfitError` for a package that the options forbid to build."""
    if options.no_build or package.name in options.no_build_packages:
        flag = "--no-build" if options.no_build else f"--no-build-package {package.name}"
        raise UnfitError(
            f"{package.key} has no wheel and would have to be built, which {flag} forbids",
            hint=f"pass a folder that has a wheel of {package.name} with --find-links",
        )
