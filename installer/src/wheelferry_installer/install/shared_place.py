"""The engine for a place that others made: packages are added beside what is there."""

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
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_installer.environment.generations import Generation
    from wheelferry_installer.host import places
    from wheelferry_installer.install.install_plan import Installation, InstallPlan, Rehearsal
    from wheelferry_installer.install.python_choice import Asked
    from wheelferry_installer.install.rolling_back import RollbackOptions, RolledBack
    from wheelferry_installer.plan.interpreter import Interpreter
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_schemas.receipt import InstalledPackage, Receipt


_OTHERS = "--into, --target and --prefix"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPlace:
    """A tree that others made, or a folder of modules: packages are added beside what is there.

    `kind` is `folder` for one of modules, `prefix` for a tree like `/usr/local`. Where it is an
    environment, `into` says how that is laid out, and which interpreter it has; elsewhere the
    interpreter decides that, which is found when it is needed.
    """

    root: Path
    kind: Literal["into", "folder", "prefix"]
    python: str | None = None
    into: tuple[places.Place, Interpreter] | None = None
    asked: Asked | None = field(default=None, repr=False, compare=False)
    is_managed: Literal[False] = field(default=False, init=False)

    @property
    def receipts(self) -> Path:
        """The folder in which its receipt is."""
        return self.root / self.layout().receipts

    @property
    def unfinished(self) -> bool:
        """Whether another run is at work there, or was interrupted."""
        from wheelferry_installer.environment import tree_journal
        from wheelferry_installer.host.places import CONTROL

        return tree_journal.is_unfinished(self.root / CONTROL)

    def receipt(self) -> Receipt | None:
        """Return the receipt of what is installed, None where nothing is."""
        from wheelferry_installer.environment.receipts import read_receipt_in

        return read_receipt_in(self.receipts)

    def generations(self) -> tuple[Generation, ...]:
        """Return nothing: of such a place only what the last change replaced is kept."""
        return ()

    def layout(self, interpreter: Interpreter | None = None) -> places.Place:
        """Return how it is laid out for an interpreter, else for the one that is tried first.

        Scripts start with that very interpreter where it was named, else with the one that it was
        made from: wheelferry's own environment belongs to wheelferry alone.
        """
        from wheelferry_installer.host import interpreter_search, places

        if self.into is not None:
            return self.into[0]
        if interpreter is None:
            interpreter = next(interpreter_search.find(self.python, ()))
        named = self.python is not None
        starter = interpreter.executable if named else interpreter.base_executable
        if self.kind == "folder":
            return places.target(self.root, starter)
        return places.prefix(self.root, interpreter, starter)

    @contextmanager
    def asking(self, options: InstallOptions) -> Iterator[SharedPlace]:
        """Start the Python that is tried first, and yield the place that will have its answer."""
        from wheelferry_installer.install.python_choice import ask_ahead

        refuse_useless(_OTHERS, {"--keep above 1": (options.keep or 0) > 1})
        if options.bundled_python:
            refuse_useless("--bundled-python", {"--python": self.python is not None, _OTHERS: True})
        if self.asked is not None or self.into is not None:
            yield self
            return
        with ask_ahead(self.python, None) as asked:
            yield replace(self, asked=asked)

    def decide(self, bundle: VerifiedBundle, options: InstallOptions, now: int) -> InstallPlan:
        """Return what installing a bundle would do; the Python is asked."""
        from wheelferry_installer.environment.present import present_at
        from wheelferry_installer.install.install_plan import InstallPlan
        from wheelferry_installer.install.python_choice import fit_host
        from wheelferry_installer.plan import fitting, merge_plan
        from wheelferry_installer.verify import accepted_bundles

        if self.into is not None:
            fit = fitting.fit(bundle.manifest, [self.into[1]])
        else:
            assert self.asked is not None
            fit = fit_host(bundle.manifest, self.python, self.asked)
        layout = self.layout(fit.interpreter)
        accepted_bundles.refuse_older(bundle, allowed=options.allow_downgrade)
        decision = merge_plan.plan(bundle, layout, present_at(layout), fit, options)
        return InstallPlan(bundle=bundle, place=self, options=options, decision=decision, now=now)

    def rehearse(self, plan: InstallPlan) -> Rehearsal:
        """Check all that `install` checks before it writes, and every byte of the bundle."""
        from wheelferry_installer.install import room
        from wheelferry_installer.install.install_plan import Rehearsal
        from wheelferry_installer.install.merging import removal_of
        from wheelferry_installer.plan.merge_plan import MergePlan
        from wheelferry_installer.verify.verification import verify_contents

        decision = plan.decision
        assert isinstance(decision, MergePlan)
        removal_of(decision)
        room.require(plan.bundle, decision.added, self.root)
        startup = verify_contents(plan.bundle, plan.packages)
        return Rehearsal(startup=tuple(startup), aside=None)

    def install(
        self, plan: InstallPlan, on_progress: Progress, on_wait: OnWait | None
    ) -> Installation:
        """Do what was planned; raises `WheelferryError`, and then everything is as it was."""
        from wheelferry_installer.install import merging
        from wheelferry_installer.install.install_plan import Installation
        from wheelferry_installer.plan.merge_plan import MergePlan

        assert isinstance(plan.decision, MergePlan)
        done = merging.install(
            plan.decision, plan.now, on_progress, sync=plan.options.sync, on_wait=on_wait
        )
        return Installation(
            plan=replace(plan, decision=done.plan),
            receipt=done.receipt,
            changed=done.changed,
            warnings=done.warnings,
        )

    def roll_back(self, options: RollbackOptions, on_wait: OnWait | None) -> RolledBack:
        """Undo the last change, or do it again where it was undone; or say what that would be."""
        from wheelferry_installer.install import rolling_back

        rolling_back.refuse_ambiguous(options.if_generation)
        if options.to is not None:
            raise UsageError(
                "--to is for environments that wheelferry manages",
                hint="elsewhere only the last change can be undone",
            )
        layout = self.layout()
        if options.dry_run:
            return rolling_back.foresee_place(layout, if_generation=options.if_generation)
        return rolling_back.roll_back_place(
            layout, if_generation=options.if_generation, sync=options.sync, on_wait=on_wait
        )

    def uninstall(
        self, *, force: bool, sync: bool, on_wait: OnWait | None
    ) -> tuple[InstalledPackage, ...]:
        """Remove the packages that wheelferry installed there; returns them."""
        from wheelferry_installer.install import merging

        return merging.uninstall(self.layout(), force=force, sync=sync, on_wait=on_wait)
