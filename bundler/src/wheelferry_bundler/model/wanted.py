"""What of a lock is wanted, as `uv sync` selects it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which extras, groups and workspace members to take; the flags and defaults of `uv sync`.

    `allow_outside_paths`, for which uv has no flag, permits packages outside the project's folder.
    """

    extras: tuple[str, ...] = ()
    no_extras: tuple[str, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    packages: tuple[str, ...] = ()
    all_packages: bool = False
    no_install_project: bool = False
    no_install_workspace: bool = False
    no_install_local: bool = False
    no_install_packages: tuple[str, ...] = ()
    allow_outside_paths: bool = False
