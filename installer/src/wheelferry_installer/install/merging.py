"""Installs a bundle into an existing tree, beside what other tools installed there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from wheelferry_installer.environment import tree_changes
from wheelferry_installer.environment.distributions import distributions
from wheelferry_installer.environment.present import present_at
from wheelferry_installer.environment.receipts import read_receipt_in
from wheelferry_installer.environment.tree_journal import Journal, is_unfinished, locked
from wheelferry_installer.host.places import CONTROL, Place
from wheelferry_installer.install import room, staging
from wheelferry_installer.install.compiling import compile_modules
from wheelferry_installer.install.obstacles import judge_obstacles, refuse_other_disks
from wheelferry_installer.install.removal import Removal, plan_removal
from wheelferry_installer.install.wheel_workers import InstallPaths
from wheelferry_installer.plan.merge_plan import MergePlan
from wheelferry_installer.system import disk
from wheelferry_schemas.errors import MalformedError, UsageError
from wheelferry_schemas.receipt import InstalledPackage, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A completed merge and its receipt. `changed` is False if nothing had to be done."""

    plan: MergePlan
    receipt: Receipt | None
    changed: bool
    warnings: tuple[str, ...] = ()


def install(
    merge: MergePlan,
    now: int,
    on_progress: Callable[[str, int], None],
    *,
    sync: bool = True,
    on_wait: Callable[[], None] | None = None,
) -> Merged:
    """Do a merge; `now` is in seconds since the epoch.

    `on_progress` is called with a member's name and size when it is done. If another run is working
    on the place, call `on_wait` and wait; without `on_wait` raise `ConflictError`. Raises
    `WheelferryError`; then the place is as it was.
    """
    root, control = merge.place.root, merge.place.root / CONTROL
    if merge.up_to_date and not is_unfinished(control):
        return Merged(plan=merge, receipt=merge.receipt, changed=False)
    try:
        with locked(root, control, on_wait) as journal:
            merge = merge.renewed(present_at(merge.place))
            if merge.up_to_date:
                return Merged(plan=merge, receipt=merge.receipt, changed=False)
            room.require(merge.bundle, merge.added, root)
            refuse_other_disks(merge.place)
            removal = removal_of(merge)
            journal.begin()
            receipt, warnings = _stage(merge, journal, now, on_progress, sync=sync)
            warnings += judge_obstacles(
                merge.place, journal.staging, removal, force=merge.options.force
            )
            planned = tree_changes.compute(
                root,
                journal.staging,
                removal.taken,
                merge.place.lasting,
                keep=merge.options.keep != 0,
            )
            journal.apply(planned, sync=sync)
            if journal.unfinished:
                warnings.append("obsolete files are still there; the next run removes them")
    except OSError as error:
        what = f"{root} could not be written"
        raise disk.failure(what, error, kept="it is as it was") from error
    return Merged(plan=merge, receipt=receipt, changed=True, warnings=tuple(warnings))


def uninstall(
    place: Place, *, force: bool, sync: bool = True, on_wait: Callable[[], None] | None = None
) -> tuple[InstalledPackage, ...]:
    """Remove the packages that the receipt of a place lists; returns them.

    Packages that another installer has replaced since are left alone. Raises `UsageError` if there
    is no receipt, and as `install` does.
    """
    try:
        with locked(place.root, place.root / CONTROL, on_wait) as journal:
            receipt = read_receipt_in(place.root / place.receipts)
            if receipt is None:
                raise UsageError(
                    f"wheelferry has installed nothing into {place.root}",
                    hint="an environment that it made is named with --venv",
                )
            ours = {package.record: package for package in receipt.packages}
            there = distributions(place.root, place.libraries)
            going = [distribution for distribution in there if distribution.record in ours]
            removal = plan_removal(place.root, going, ours)
            removal.refuse_conflicts(place.root, force=force)
            receipts = tree_changes.files_below(place.root / place.receipts)
            removal.taken.update(f"{place.receipts}/{path}" for path in receipts)
            journal.begin()
            planned = tree_changes.compute(
                place.root, journal.staging, removal.taken, place.lasting, keep=False
            )
            journal.apply(planned, sync=sync)
    except OSError as error:
        what = f"{place.root} could not be written"
        raise disk.failure(what, error, kept="it is as it was") from error
    return tuple(ours[distribution.record] for distribution in going)


def removal_of(merge: MergePlan) -> Removal:
    """Return what a merge removes; raises `ConflictError` that names all that prevents it."""
    packages = merge.receipt.packages if merge.receipt else ()
    removal = plan_removal(
        merge.place.root,
        (*merge.replaced, *merge.surplus),
        {package.record: package for package in packages},
    )
    removal.refuse_conflicts(merge.place.root, force=merge.options.force)
    return removal


def _stage(
    merge: MergePlan,
    journal: Journal,
    now: int,
    on_progress: Callable[[str, int], None],
    *,
    sync: bool,
) -> tuple[Receipt, list[str]]:
    """Write all new files below staging; returns the receipt and warnings."""
    folder = journal.staging
    where = InstallPaths(
        staging=folder,
        schemes=dict(merge.place.schemes),
        headers=merge.place.headers,
        interpreter=os.fspath(merge.place.interpreter),
        python=merge.fit.interpreter.markers["python_version"],
        flushed=sync,
        lock=journal.lock,
    )
    outcomes = staging.install_wheels(merge.bundle, merge.added, where, on_progress)
    warnings = staging.judge_contested(folder, outcomes)
    if (folder / CONTROL).exists():
        raise MalformedError(
            f"a wheel writes into {CONTROL}, which is reserved for wheelferry",
            hint="the wheel is malicious: ask whoever made the bundle",
        )
    if merge.options.compile_bytecode:
        modules = staging.modules_below(merge.place.schemes["purelib"], outcomes)
        interpreter = merge.fit.interpreter.base_executable
        compile_modules(interpreter, folder, modules, merge.place.root)
    packages = staging.installed_packages(merge.added, outcomes)
    gone = {distribution.record for distribution in (*merge.replaced, *merge.surplus)}
    before = merge.receipt.packages if merge.receipt else ()
    staying = (p for p in before if p.record not in gone and (merge.place.root / p.record).exists())
    written = staging.write_receipt(
        folder / merge.place.receipts,
        merge.bundle,
        merge.fit,
        tuple(sorted((*staying, *packages), key=lambda package: package.name)),
        now,
        compiled=merge.options.compile_bytecode,
    )
    return written, warnings
