"""Names a place, and so chooses the engine for it, once.

Who installs, looks, goes back or removes asks the place, and never which kind it is.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.install.managed_place import ManagedPlace
from wheelferry_installer.install.shared_place import SharedPlace

if TYPE_CHECKING:
    from wheelferry_installer.install.install_plan import Installation, InstallPlan
    from wheelferry_installer.plan.install_options import OnWait, Progress

Place = ManagedPlace | SharedPlace


def managed(path: Path, python: str | None) -> ManagedPlace:
    """Return the environment at `path`, which wheelferry makes and replaces as a whole."""
    return ManagedPlace(root=Path(os.path.abspath(path)), python=python)


def into(environment: Path) -> SharedPlace:
    """Return an environment that others made; its interpreter is asked.

    `environment` is its folder, or the path of its interpreter. Raises `UsageError` where it is
    none, and `ConflictError` where it belongs to wheelferry or to the operating system.
    """
    from wheelferry_installer.host import places

    layout, interpreter = places.into(environment)
    return SharedPlace(root=layout.root, kind="into", into=(layout, interpreter))


def folder(path: Path, python: str | None) -> SharedPlace:
    """Return a folder of modules."""
    return SharedPlace(root=Path(os.path.realpath(path)), kind="folder", python=python)


def prefix(path: Path, python: str | None) -> SharedPlace:
    """Return a tree like `/usr/local`."""
    return SharedPlace(root=Path(os.path.realpath(path)), kind="prefix", python=python)


def carry_out(plan: InstallPlan, on_progress: Progress, on_wait: OnWait | None) -> Installation:
    """Do what was planned, and remember which bundle was accepted and which Python was chosen.

    Raises `WheelferryError`; then the place is as it was.
    """
    from wheelferry_installer.host import former_python
    from wheelferry_installer.system import signals
    from wheelferry_installer.verify import accepted_bundles

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
