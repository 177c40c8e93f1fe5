"""What `bundle install` says: before it starts, instead of it, and when it is done."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelferry_installer.commands.bundle_options import (
    say_changes,
    show_startup,
    signers_json,
    startup_json,
)
from wheelferry_installer.commands.leftovers import aside_json, say_aside
from wheelferry_installer.commands.printing import say, say_command, say_json, warn
from wheelferry_schemas.display import count

if TYPE_CHECKING:
    from wheelferry_installer.host.former_python import FormerPython
    from wheelferry_installer.install.installation import Aside, Installation
    from wheelferry_installer.install.merging import Merged
    from wheelferry_installer.plan.environment_plan import EnvironmentPlan
    from wheelferry_installer.plan.merge_plan import MergePlan


def warn_of_plan(plan: EnvironmentPlan | MergePlan, now: int, former: FormerPython | None) -> None:
    """Say what a person may want to know before anything is installed."""
    _warn_of_clock(plan, now)
    _warn_of_doubts(plan)
    _warn_of_host(plan, former)


def _warn_of_clock(plan: EnvironmentPlan | MergePlan, now: int) -> None:
    """Say that the clock is behind what is installed; `verified` says it of the bundle."""
    from wheelferry_schemas.fields import parse_timestamp

    if plan.receipt is None:
        return
    newest = max(plan.receipt.installed, plan.receipt.bundle_created)
    if plan.bundle.manifest.created_at <= now < parse_timestamp(newest):
        warn(
            f"by this host's clock what is installed comes from the future ({newest}): "
            "set the clock, or expiry means nothing"
        )


def _warn_of_doubts(plan: EnvironmentPlan | MergePlan) -> None:
    """Say why an environment is not believed to be what its receipt says."""
    from wheelferry_installer.plan.environment_plan import EnvironmentPlan

    if isinstance(plan, EnvironmentPlan) and plan.doubts:
        why = "; ".join(plan.doubts)
        warn(f"{plan.environment} is not up to date, although its receipt says so: {why}")


def _warn_of_host(plan: EnvironmentPlan | MergePlan, former: FormerPython | None) -> None:
    """Print that only this user can use what is installed, or that the Python changes."""
    from wheelferry_installer.system import disk

    successor = plan.fit.interpreter.base_executable
    if former is not None and (line := former.farewell(successor)):
        warn(line)
    umask = None if plan.up_to_date else disk.umask_that_hides(plan.environment)
    if umask is not None:
        warn(
            f"umask {umask:04o} keeps other users from using {plan.environment}; if they are to, set "
            "umask 022 first, or afterwards and install again with --reinstall"
        )


def show_plan(plan: EnvironmentPlan | MergePlan, aside: Aside | None, *, as_json: bool) -> None:
    """Say what an installation would do, after checking every byte of the bundle."""
    from wheelferry_installer.install import room
    from wheelferry_installer.install.merging import removal_of
    from wheelferry_installer.plan.merge_plan import MergePlan
    from wheelferry_installer.verify.verification import verify_contents

    if isinstance(plan, MergePlan):
        removal_of(plan)
        room.require(plan.bundle, plan.added, plan.environment)
    elif not plan.up_to_date:
        room.require(plan.bundle, plan.packages, plan.environment, plan.bundled_python)
    startup = verify_contents(plan.bundle, plan.packages)
    if as_json:
        more = {
            "changed": not plan.up_to_date,
            "contents_read": True,
            "startup": startup_json(startup),
            **aside_json(aside),
        }
        say_json({**_plan_json(plan), **plan.changes.plain(), **more})
        return
    show_startup(startup)
    say_changes(plan.changes)
    packages = count(len(plan.packages), "package")
    where = os.fspath(plan.environment)
    if plan.up_to_date:
        say(f"{where} has these {packages} already")
    elif isinstance(plan, MergePlan):
        say(f"would install into {where}")
        _say_path(plan)
    else:
        verb = "replace" if plan.receipt else "make"
        description = plan.fit.interpreter.description
        say(f"would {verb} {where} with {packages}, for {description}")
    say_aside(aside, dry_run=True)


def _say_path(plan: MergePlan) -> None:
    """Name the folders that the Python of a prefix does not look in by itself."""
    if plan.place.unsearched:
        say_command(
            "use it with", f"PYTHONPATH={shlex.quote(os.pathsep.join(plan.place.unsearched))}"
        )


def show_done(done: Installation | Merged, *, as_json: bool) -> None:
    """Say what was done."""
    from wheelferry_installer.install.merging import Merged
    from wheelferry_installer.plan.merge_plan import MergePlan

    plan = done.plan
    aside = None if isinstance(done, Merged) else done.aside
    if as_json:
        written = done.receipt.generation if done.receipt else None
        changes = replace(plan.changes, after=replace(plan.changes.after, generation=written))
        say_json(
            {
                **_plan_json(plan),
                **changes.plain(),
                "changed": done.changed,
                "contents_read": done.changed,
                **aside_json(aside),
            }
        )
        return
    for warning in done.warnings:
        warn(warning)
    for signer in plan.bundle.signers:
        if signer.problem is None:
            say(f"signed by {signer.name or '?'} {signer.fingerprint}")
    packages = count(len(plan.packages), "package")
    where = os.fspath(plan.environment)
    if not done.changed:
        say(
            f"{where} is up to date: {packages}",
            "signature and manifest were checked; the rest of the bundle was not read "
            "('bundle verify' reads it)",
        )
        say_aside(aside)
        return
    say_changes(plan.changes)
    if isinstance(plan, MergePlan):
        say(f"installed into {where}")
        _say_path(plan)
        return
    say(f"installed {packages} into {where}, for {plan.fit.interpreter.description}")
    scripts = plan.environment / plan.fit.interpreter.paths["scripts"]
    say_command("use it", shlex.quote(os.fspath(scripts / "python")))
    say_aside(aside)


def _plan_json(plan: EnvironmentPlan | MergePlan) -> dict[str, object]:
    from wheelferry_installer.plan.merge_plan import MergePlan

    rest: dict[str, object] = {}
    if isinstance(plan, MergePlan):
        rest["installed"] = [package.name for package in plan.added]
        rest["left"] = [package.name for package in plan.left]
        rest["replaced"] = [distribution.name for distribution in plan.replaced]
        rest["removed"] = [distribution.name for distribution in plan.surplus]
        rest["pythonpath"] = list(plan.place.unsearched)
    return {
        "environment": os.fspath(plan.environment),
        "interpreter": os.fspath(plan.fit.interpreter.base_executable),
        "python": plan.fit.interpreter.markers["python_full_version"],
        "target": plan.fit.target.id,
        "signers": signers_json(plan.bundle.signers),
        "packages": [
            {"name": package.name, "version": package.version, "wheel": package.wheel}
            for package in plan.packages
        ],
        **rest,
    }
