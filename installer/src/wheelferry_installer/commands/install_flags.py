"""The options of `bundle install` that say what to install, and what to accept."""

from __future__ import annotations

import click

from wheelferry_installer.api import InstallOptions
from wheelferry_installer.commands.bundle_options import gathered, trust_options
from wheelferry_installer.commands.option_groups import grouped
from wheelferry_installer.commands.place_options import sync_option


def _as_options(
    *,
    bundled_python: bool,
    compile_bytecode: bool,
    reinstall: bool,
    exact: bool,
    force: bool,
    replace: bool,
    keep: int | None,
    allow_downgrade: bool,
    no_sync: bool,
) -> InstallOptions:
    return InstallOptions(
        bundled_python=bundled_python,
        compile_bytecode=compile_bytecode,
        reinstall=reinstall,
        exact=exact,
        force=force,
        replace=replace,
        keep=keep,
        allow_downgrade=allow_downgrade,
        sync=not no_sync,
        shield_signals=True,
    )


install_flags = gathered(
    "options",
    _as_options,
    grouped(
        "What to install",
        click.option(
            "--bundled-python",
            is_flag=True,
            help="Use the Python in the bundle, even if one of this host fits.",
        ),
        click.option("--compile", "compile_bytecode", is_flag=True, help="Compile all modules."),
        click.option(
            "--reinstall", is_flag=True, help="Reinstall packages that are already installed."
        ),
        click.option(
            "--exact", is_flag=True, help="Remove packages that the bundle does not have."
        ),
        click.option(
            "--force",
            is_flag=True,
            help="Overwrite files that were edited or that no package owns.",
        ),
        click.option(
            "--replace", is_flag=True, help="Replace an installation from a bundle of another name."
        ),
        click.option(
            "--keep",
            type=click.IntRange(min=0),
            metavar="N",
            help="How many former environments to keep for 'bundle rollback'.  [default: 1]",
        ),
    ),
    grouped(
        "What to accept",
        trust_options,
        click.option(
            "--allow-downgrade",
            is_flag=True,
            help="Accept a bundle older than the newest of its name that this host accepted.",
        ),
    ),
    sync_option,
)
