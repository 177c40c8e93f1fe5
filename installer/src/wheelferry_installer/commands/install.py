"""`bundle install`: from a bundle to an environment that is ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import (
    Trust,
    bundle_argument,
    json_option,
    quiet_option,
    verified,
)
from wheelferry_installer.commands.install_flags import install_flags
from wheelferry_installer.commands.install_report import show_done, show_plan
from wheelferry_installer.commands.option_groups import GroupedCommand, grouped
from wheelferry_installer.commands.place_options import (
    UNFINISHED,
    PlaceOptions,
    place_options,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import warn

if TYPE_CHECKING:
    from wheelferry_installer.plan.install_options import InstallOptions

_EPILOG = """\b
Examples:
  bundle install bundle.tar.zst
  bundle install bundle.tar.zst --venv /opt/app/venv --python /usr/bin/python3.12
  bundle install bundle.tar.zst --into /srv/venv --dry-run
"""


@click.command(cls=GroupedCommand, epilog=_EPILOG)
@bundle_argument
@grouped("Where to", place_options)
@install_flags
@grouped(
    "Output",
    click.option("--dry-run", is_flag=True, help="Verify, show what would be done, and stop."),
    json_option,
    quiet_option,
)
@wait_option
def install(
    bundle: Path,
    where: PlaceOptions,
    options: InstallOptions,
    trust: Trust,
    no_wait: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Verify BUNDLE and install it as one step, without any network.

    The environment is built beside its place and moved in when it is complete. Whatever goes
    wrong, what was there before stays as it was. That also holds for --into, --target and
    --prefix, which add to what somebody else made: the same versions are left alone, other
    versions are replaced, everything else stays.
    """
    where.refuse_two_interpreters()
    # The Python that is asked needs as long for its answer as a small bundle to be verified.
    with where.find().asking(options) as place, verified(bundle, trust) as checked:
        from wheelferry_installer.commands.progress_bar import bar

        plan = api.plan(checked, place, options)
        for line in plan.warnings:
            warn(line)
        if dry_run:
            if place.unfinished:
                warn(f"a change of {plan.environment} is unfinished: {UNFINISHED}")
            show_plan(plan, api.rehearse(plan), as_json=as_json)
            return
        size = sum(member.size for member in checked.members)
        with bar("installing", size, shown=not quiet) as advance:
            on_wait = waiting(plan.environment, no_wait=no_wait)
            done = api.install(plan, on_progress=advance, on_wait=on_wait)
    if done.unremembered is not None:
        warn(done.unremembered)
    if as_json or not quiet:
        show_done(done, as_json=as_json)
