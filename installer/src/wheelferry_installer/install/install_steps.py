"""Carries out a plan, and remembers what was accepted and chosen by it."""

from __future__ import annotations

from dataclasses import replace

from wheelferry_installer.host import former_python
from wheelferry_installer.install.install_options import OnWait, Progress
from wheelferry_installer.install.install_plan import Installation, InstallPlan
from wheelferry_installer.system import signals
from wheelferry_installer.verify import accepted_bundles


def install(plan: InstallPlan, on_progress: Progress, on_wait: OnWait | None) -> Installation:
    """Do what was planned; raises `WheelferryError`, and then the place is as it was."""
    problems: list[str] = []
    with signals.shielded(wanted=plan.options.shield_signals):
        done = plan.place.install(plan, on_progress, on_wait)
        # It is installed: too late to stop, and what follows is short.
        signals.ignore()
        accepted_bundles.remember(plan.bundle, plan.now, problems.append, sync=plan.options.sync)
        if plan.chosen_python is not None:
            former_python.remember(plan.chosen_python)
    # A command has only to say what it did; another program's signals are handled again.
    signals.ignore()
    return replace(done, unremembered=problems[0] if problems else None)
