"""Where a bundle is installed, and what is done there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.api.defaults import clock, silent
from wheelferry_installer.plan.install_options import InstallOptions, OnWait, Progress
from wheelferry_schemas.errors import in_families

if TYPE_CHECKING:
    from wheelferry_installer.environment.pruning import Pruned
    from wheelferry_installer.install.install_plan import Installation, InstallPlan, Rehearsal
    from wheelferry_installer.install.managed_place import ManagedPlace
    from wheelferry_installer.install.place_engines import Place
    from wheelferry_installer.install.place_status import Status
    from wheelferry_installer.install.rolling_back import RolledBack
    from wheelferry_installer.install.shared_place import SharedPlace
    from wheelferry_installer.verify.policy import Policy
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_schemas.receipt import InstalledPackage
    from wheelferry_schemas.target import Target


@in_families
def managed(path: Path = Path(".venv"), *, python: str | None = None) -> ManagedPlace:
    """Return the environment at `path`, which wheelferry makes and replaces as a whole.

    `python` is the path, the name or the version of what it is made with; by default what it was
    made with before, this Python, or one on PATH that fits.
    """
    from wheelferry_installer.install import place_engines

    return place_engines.managed(path, python)


@in_families
def into(environment: Path) -> SharedPlace:
    """Return an environment that others made: its folder, or its interpreter, which is asked."""
    from wheelferry_installer.install import place_engines

    return place_engines.into(environment)


@in_families
def folder(path: Path, *, python: str | None = None) -> SharedPlace:
    """Return a folder of modules, to put on a path."""
    from wheelferry_installer.install import place_engines

    return place_engines.folder(path, python)


@in_families
def prefix(path: Path, *, python: str | None = None) -> SharedPlace:
    """Return a tree like `/usr/local`, with folders for programs, modules and data."""
    from wheelferry_installer.install import place_engines

    return place_engines.prefix(path, python)


@in_families
def plan(
    bundle: VerifiedBundle,
    place: Place,
    options: InstallOptions = InstallOptions(),  # noqa: B008 - it is frozen
    *,
    now: int | None = None,
) -> InstallPlan:
    """Return what installing a bundle into a place would do; writes nothing.

    Raises `UnfitError` where nothing in it fits, `OutdatedError` where a newer bundle was accepted
    before, and `ConflictError` where the place belongs to others.
    """
    with place.asking(options) as asked:
        return asked.decide(bundle, options, clock(now))


@in_families
def rehearse(plan: InstallPlan) -> Rehearsal:
    """Check everything that `install` checks before it writes, and every byte of the bundle."""
    return plan.place.rehearse(plan)


@in_families
def install(
    plan: InstallPlan, *, on_progress: Progress | None = None, on_wait: OnWait | None = None
) -> Installation:
    """Do what was planned, in one step. Where this raises, everything is as it was."""
    from wheelferry_installer.install import place_engines

    return place_engines.carry_out(plan, on_progress or silent, on_wait)


@in_families
def status(
    place: Place, policy: Policy | None = None, *, now: int | None = None, quick: bool = False
) -> Status:
    """Return what a place has, from which bundle, and whether it is intact; changes nothing.

    `quick` believes files that have their size and were not touched since. Without a policy every
    key is unknown. Raises `UsageError` where wheelferry has installed nothing.
    """
    from wheelferry_installer.install.place_status import status_of

    return status_of(place, policy, clock(now), quick=quick)


@in_families
def rollback(
    place: Place,
    *,
    to: str | None = None,
    if_generation: str | None = None,
    dry_run: bool = False,
    sync: bool = True,
    on_wait: OnWait | None = None,
    shield_signals: bool = False,
) -> RolledBack:
    """Put back what was there before the last change; a second rollback undoes the first.

    `to` is a generation that is kept. Raises `ConflictError` where nothing is kept, or where what
    is there is not `if_generation`.
    """
    from wheelferry_installer.install.rolling_back import RollbackOptions
    from wheelferry_installer.system import signals

    options = RollbackOptions(to=to, if_generation=if_generation, dry_run=dry_run, sync=sync)
    with signals.shielded(wanted=shield_signals):
        return place.roll_back(options, on_wait)


@in_families
def uninstall(
    place: Place,
    *,
    force: bool = False,
    sync: bool = True,
    on_wait: OnWait | None = None,
    shield_signals: bool = False,
) -> tuple[InstalledPackage, ...]:
    """Remove an environment with all former ones, or the packages in a place that others made.

    Returns the packages. Raises `ConflictError` where files were edited or added, unless `force`.
    """
    from wheelferry_installer.system import signals

    with signals.shielded(wanted=shield_signals):
        return place.uninstall(force=force, sync=sync, on_wait=on_wait)


@in_families
def prune(
    place: ManagedPlace,
    keep: int = 1,
    *,
    force: bool = False,
    dry_run: bool = False,
    sync: bool = True,
    on_wait: OnWait | None = None,
    shield_signals: bool = False,
) -> Pruned:
    """Remove former environments but the `keep` youngest; returns which, and the room they had."""
    from wheelferry_installer.system import signals

    with signals.shielded(wanted=shield_signals):
        return place.prune(keep, force=force, dry_run=dry_run, sync=sync, on_wait=on_wait)


@in_families
def describe_host(python: str | None = None) -> Target:
    """Return what a Python of this host is, by default this one, to make bundles for it."""
    from wheelferry_installer.host import host_target

    return host_target.describe_host(python)
