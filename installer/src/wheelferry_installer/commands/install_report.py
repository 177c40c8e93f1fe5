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
    from wheelferry_installer.install.install_plan import Installation, InstallPlan, Rehearsal
    from wheelferry_installer.plan.merge_plan import MergePlan


def show_plan(plan: InstallPlan, rehearsal: Rehearsal, *, as_json: bool) -> None:
    """Say what an installation would do."""
    if as_json:
        more = {
            "changed": not plan.up_to_date,
            "contents_read": True,
            "startup": startup_json(rehearsal.startup),
            **aside_json(rehearsal.aside),
        }
        say_json({**_plan_json(plan), **plan.changes.plain(), **more})
        return
    show_startup(rehearsal.startup)
    say_changes(plan.changes)
    packages = count(len(plan.packages), "package")
    where = os.fspath(plan.environment)
    if plan.up_to_date:
        say(f"{where} has these {packages} already")
    elif plan.merge is not None:
        say(f"would install into {where}")
        _say_path(plan.merge)
    else:
        verb = "replace" if plan.receipt else "make"
        description = plan.fit.interpreter.description
        say(f"would {verb} {where} with {packages}, for {description}")
    say_aside(rehearsal.aside, dry_run=True)


def _say_path(merge: MergePlan) -> None:
    """Name the folders that the Python of a prefix does not look in by itself."""
    if merge.place.unsearched:
        path = os.pathsep.join(merge.place.unsearched)
        say_command("use it with", f"PYTHONPATH={shlex.quote(path)}")


def show_done(done: Installation, *, as_json: bool) -> None:
    """Say what was done."""
    plan, aside = done.plan, done.aside
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
    if plan.merge is not None:
        say(f"installed into {where}")
        _say_path(plan.merge)
        return
    say(f"installed {packages} into {where}, for {plan.fit.interpreter.description}")
    scripts = plan.environment / plan.fit.interpreter.paths["scripts"]
    say_command("use it", shlex.quote(os.fspath(scripts / "python")))
    say_aside(aside)


def _plan_json(plan: InstallPlan) -> dict[str, object]:
    rest: dict[str, object] = {}
    merge = plan.merge
    if merge is not None:
        rest["installed"] = [package.name for package in merge.added]
        rest["left"] = [package.name for package in merge.left]
        rest["replaced"] = [distribution.name for distribution in merge.replaced]
        rest["removed"] = [distribution.name for distribution in merge.surplus]
        rest["pythonpath"] = list(merge.place.unsearched)
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
