"""An installation that was decided on, whatever the place, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelferry_installer.host.former_python import FormerPython
    from wheelferry_installer.install.installation import Aside
    from wheelferry_installer.install.place_engines import Place
    from wheelferry_installer.plan.environment_plan import EnvironmentPlan
    from wheelferry_installer.plan.fitting import Fit
    from wheelferry_installer.plan.install_options import InstallOptions
    from wheelferry_installer.plan.merge_plan import MergePlan
    from wheelferry_installer.plan.package_changes import PackageChanges
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_installer.wheel.startup import StartupFile
    from wheelferry_schemas.bundle.manifest import Package
    from wheelferry_schemas.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPlan:
    """What installing a bundle into a place will do, and why a person may want to know more.

    `decision` is the engine's own plan. `chosen_python` is a Python of this host that a managed
    place is made from. `now` is in seconds since the epoch.
    """

    bundle: VerifiedBundle
    place: Place
    options: InstallOptions
    decision: EnvironmentPlan | MergePlan
    now: int
    former: FormerPython | None = None
    chosen_python: Path | None = None

    @property
    def environment(self) -> Path:
        """Where it goes: the root of the place."""
        return self.decision.environment

    @property
    def fit(self) -> Fit:
        """The target of the bundle, the interpreter that it fits, and its packages."""
        return self.decision.fit

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages of the bundle that are for this place."""
        return self.decision.packages

    @property
    def receipt(self) -> Receipt | None:
        """The receipt of what is there now."""
        return self.decision.receipt

    @property
    def changes(self) -> PackageChanges:
        """What changes, package by package."""
        return self.decision.changes

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do."""
        return self.decision.up_to_date

    @property
    def merge(self) -> MergePlan | None:
        """What is added, left, replaced and removed in a place that others made, else None."""
        from wheelferry_installer.plan.merge_plan import MergePlan

        return self.decision if isinstance(self.decision, MergePlan) else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person may want to know before anything is installed."""
        lines = (self._clock(), self._doubts(), self._farewell(), self._umask())
        return tuple(line for line in lines if line is not None)

    def _clock(self) -> str | None:
        """Say that the clock is behind what is installed; of the bundle, `verify` tells."""
        from wheelferry_schemas.fields import parse_timestamp

        if self.receipt is None:
            return None
        newest = max(self.receipt.installed, self.receipt.bundle_created)
        if not self.bundle.manifest.created_at <= self.now < parse_timestamp(newest):
            return None
        return (
            f"by this host's clock what is installed comes from the future ({newest}): "
            "set the clock, or expiry means nothing"
        )

    def _doubts(self) -> str | None:
        """Say why an environment is not believed to be what its receipt says."""
        from wheelferry_installer.plan.environment_plan import EnvironmentPlan

        if not isinstance(self.decision, EnvironmentPlan) or not self.decision.doubts:
            return None
        why = "; ".join(self.decision.doubts)
        return f"{self.environment} is not up to date, although its receipt says so: {why}"

    def _farewell(self) -> str | None:
        """Say that an environment gets another Python than it had."""
        if self.former is None:
            return None
        return self.former.farewell(self.fit.interpreter.base_executable)

    def _umask(self) -> str | None:
        """Say that nobody else can use what is installed."""
        from wheelferry_installer.system import disk

        umask = None if self.up_to_date else disk.umask_that_hides(self.environment)
        if umask is None:
            return None
        return (
            f"umask {umask:04o} keeps other users from using {self.environment}; if they are to, "
            "set umask 022 first, or afterwards and install again with --reinstall"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What an installation would do besides, after every byte that it needs was checked.

    `startup` is what Python would run by itself; `aside` what becomes of a former environment.
    """

    startup: tuple[StartupFile, ...]
    aside: Aside | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What is in place, and its receipt. `changed` is False where it was so before.

    `plan` is the one that was done: of the place as it was when its lock was held. `aside` is what
    became of the environment that was there. `unremembered` says why an older bundle will not be
    refused in other places, where that could not be written down.
    """

    plan: InstallPlan
    receipt: Receipt | None
    changed: bool
    warnings: tuple[str, ...] = ()
    aside: Aside | None = None
    unremembered: str | None = None
