"""The engine for an environment that wheelferry makes, and replaces as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wheelferry_installer.plan.install_options import (
    InstallOptions,
    OnWait,
    Progress,
    refuse_useless,
)
from wheelferry_schemas.receipt import FOLDER

if TYPE_CHECKING:
    from wheelferry_installer.environment.generations import Generation
    from wheelferry_installer.environment.pruning import Pruned
    from wheelferry_installer.install.install_plan import Installation, InstallPlan, Rehearsal
    from wheelferry_installer.install.python_choice import Asked
    from wheelferry_installer.install.rolling_back import RollbackOptions, RolledBack
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_schemas.receipt import InstalledPackage, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPlace:
    """An environment that wheelferry makes, and replaces as a whole.

    `python` is the path, name or version of what it is to be made with. `asked` is what `asking`
    asks.
    """

    root: Path
    python: str | None = None
    asked: Asked | None = field(default=None, repr=False, compare=False)
    is_managed: Literal[True] = field(default=True, init=False)

    @property
    def receipts(self) -> Path:
        """The folder in which its receipt is."""
        return self.root / FOLDER

    @property
    def unfinished(self) -> bool:
        """Whether another run is at work there, or was interrupted."""
        from wheelferry_installer.environment.generations import ManagedEnvironment

        return ManagedEnvironment(self.root).unfinished

    def receipt(self) -> Receipt | None:
        """Return the receipt of what is installed, None where nothing is."""
        from wheelferry_installer.environment.receipts import read_receipt_in

        return read_receipt_in(self.receipts)

    def generations(self) -> tuple[Generation, ...]:
        """Return the former environments that are kept, the youngest first.

        Raises `ConflictError` where the folder that they are in belongs to another user.
        """
        from wheelferry_installer.environment.generations import ManagedEnvironment

        return tuple(ManagedEnvironment(self.root).kept)

    @contextmanager
    def asking(self, options: InstallOptions) -> Iterator[ManagedPlace]:
        """Start the Python that is tried first, and yield the place that will have its answer.

        That takes as long as it takes to verify a small bundle: begin with this to wait but once.
        """
        from wheelferry_installer.install.python_choice import ask_ahead

        refuse_useless("--venv", {"--exact": options.exact})
        if options.bundled_python:
            refuse_useless("--bundled-python", {"--python": self.python is not None})
        if self.asked is not None:
            yield self
            return
        may_stay = self.python is None and not options.bundled_python
        with ask_ahead(self.python, self.root if may_stay else None) as asked:
            yield replace(self, asked=asked)

    def decide(self, bundle: VerifiedBundle, options: InstallOptions, now: int) -> InstallPlan:
        """Return what installing a bundle would do; the Python is asked."""
        from wheelferry_installer.environment.present import present_in
        from wheelferry_installer.install import python_choice
        from wheelferry_installer.install.install_plan import InstallPlan
        from wheelferry_installer.plan import environment_plan
        from wheelferry_installer.verify import accepted_bundles

        assert self.asked is not None
        choice = python_choice.choose(
            bundle.manifest, self.python, self.asked, self.root, bundled=options.bundled_python
        )
        accepted_bundles.refuse_older(bundle, allowed=options.allow_downgrade)
        named = None if options.reinstall else bundle.sha256
        decision = environment_plan.plan(
            bundle,
            present_in(self.root, named),
            choice.fit,
            compile_bytecode=options.compile_bytecode,
            reinstall=options.reinstall,
            allow_downgrade=options.allow_downgrade,
            replace_other=options.replace,
            bundled_python=choice.bundled,
        )
        return InstallPlan(
            bundle=bundle,
            place=self,
            options=options,
            decision=decision,
            now=now,
            former=self.asked.former,
            chosen_python=None if choice.bundled else choice.fit.interpreter.base_executable,
        )

    def rehearse(self, plan: InstallPlan) -> Rehearsal:
        """Check all that `install` checks before it writes, and every byte of the bundle."""
        from wheelferry_installer.install import installation, room
        from wheelferry_installer.install.install_plan import Rehearsal
        from wheelferry_installer.plan.environment_plan import EnvironmentPlan
        from wheelferry_installer.verify.verification import verify_contents

        decision, options = plan.decision, plan.options
        assert isinstance(decision, EnvironmentPlan)
        aside = installation.foresee(decision, options.keep, force=options.force)
        if not decision.up_to_date:
            room.require(plan.bundle, plan.packages, self.root, decision.bundled_python)
        startup = verify_contents(plan.bundle, plan.packages)
        return Rehearsal(startup=tuple(startup), aside=aside)

    def install(
        self, plan: InstallPlan, on_progress: Progress, on_wait: OnWait | None
    ) -> Installation:
        """Do what was planned; raises `WheelferryError`, and then everything is as it was."""
        from wheelferry_installer.install import installation
        from wheelferry_installer.install.install_plan import Installation
        from wheelferry_installer.plan.environment_plan import EnvironmentPlan

        decision, options = plan.decision, plan.options
        assert isinstance(decision, EnvironmentPlan)
        done = installation.install(
            decision,
            plan.now,
            on_progress,
            sync=options.sync,
            keep=options.keep,
            force=options.force,
            on_wait=on_wait,
        )
        return Installation(
            plan=replace(plan, decision=done.plan),
            receipt=done.receipt,
            changed=done.changed,
            warnings=done.warnings,
            aside=done.aside,
        )

    def roll_back(self, options: RollbackOptions, on_wait: OnWait | None) -> RolledBack:
        """Put a former environment back, or say what that would be."""
        from wheelferry_installer.install import rolling_back

        rolling_back.refuse_ambiguous(options.if_generation)
        if options.dry_run:
            return rolling_back.foresee(
                self.root, to=options.to, if_generation=options.if_generation
            )
        return rolling_back.roll_back(
            self.root,
            to=options.to,
            if_generation=options.if_generation,
            sync=options.sync,
            on_wait=on_wait,
        )

    def uninstall(
        self, *, force: bool, sync: bool, on_wait: OnWait | None
    ) -> tuple[InstalledPackage, ...]:
        """Remove the environment and the former ones; returns the packages that were in it."""
        from wheelferry_installer.install import installation

        return installation.uninstall(self.root, force=force, sync=sync, on_wait=on_wait)

    def prune(
        self, keep: int, *, force: bool, dry_run: bool, sync: bool, on_wait: OnWait | None
    ) -> Pruned:
        """Remove former environments but the youngest, or say which those would be."""
        from wheelferry_installer.environment import pruning

        if dry_run:
            return pruning.foresee(self.root, keep, force=force)
        return pruning.prune_environment(self.root, keep, force=force, sync=sync, on_wait=on_wait)
