"""`bundle install`: from a bundle to an environment that is ready to run."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.bundle_options import (
    Trust,
    bundle_argument,
    json_option,
    quiet_option,
    trust_options,
    verified,
)
from wheelferry_installer.commands.install_report import (
    show_done,
    show_plan,
    warn_of_plan,
)
from wheelferry_installer.commands.option_groups import GroupedCommand, grouped
from wheelferry_installer.commands.place_options import (
    UNFINISHED,
    is_unfinished,
    managed_path,
    place_for,
    place_options,
    refuse_several,
    sync_option,
    wait_option,
    waiting,
)
from wheelferry_installer.commands.printing import warn
from wheelferry_schemas.errors import UnfitError, UsageError

if TYPE_CHECKING:
    from wheelferry_installer.host.former_python import FormerPython
    from wheelferry_installer.host.interpreter_search import InterpreterQuery
    from wheelferry_installer.install.installation import Installation
    from wheelferry_installer.install.merging import Merged
    from wheelferry_installer.plan.environment_plan import EnvironmentPlan
    from wheelferry_installer.plan.fitting import Fit
    from wheelferry_installer.plan.merge_plan import MergePlan
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_schemas.bundle.manifest import Manifest, PythonArchive

_EPILOG = """\b
Examples:
  bundle install bundle.tar.zst
  bundle install bundle.tar.zst --venv /opt/app/venv --python /usr/bin/python3.12
  bundle install bundle.tar.zst --into /srv/venv --dry-run
"""


@click.command(cls=GroupedCommand, epilog=_EPILOG)
@bundle_argument
@grouped("Where to", place_options)
@grouped(
    "What to install",
    click.option(
        "--bundled-python",
        is_flag=True,
        help="Use the Python that the bundle brings, even where one of this host fits.",
    ),
    click.option("--compile", "compile_bytecode", is_flag=True, help="Compile all modules."),
    click.option("--reinstall", is_flag=True, help="Install even what is there already."),
    click.option("--exact", is_flag=True, help="Remove packages that the bundle does not have."),
    click.option(
        "--force", is_flag=True, help="Go on where files were edited, or are not wheelferry's."
    ),
    click.option("--replace", is_flag=True, help="Replace what bundles of another name brought."),
    click.option(
        "--keep",
        type=click.IntRange(min=0),
        metavar="N",
        help="How many former environments stay for 'bundle rollback'.  [default: 1]",
    ),
)
@grouped(
    "What to accept",
    trust_options,
    click.option(
        "--allow-downgrade",
        is_flag=True,
        help="Accept a bundle older than the newest of its name that this host accepted.",
    ),
)
@grouped(
    "Output",
    click.option("--dry-run", is_flag=True, help="Verify, show what would be done, and stop."),
    json_option,
    quiet_option,
)
@sync_option
@wait_option
def install(
    bundle: Path,
    environment: Path | None,
    into: Path | None,
    target: Path | None,
    prefix: Path | None,
    python: str | None,
    bundled_python: bool,
    compile_bytecode: bool,
    no_sync: bool,
    no_wait: bool,
    keep: int | None,
    reinstall: bool,
    exact: bool,
    force: bool,
    replace: bool,
    allow_downgrade: bool,
    trust: Trust,
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
    refuse_several(venv=environment, into=into, target=target, prefix=prefix)
    _refuse_useless(
        "--into, which names an interpreter", into is not None, {"--python": python is not None}
    )
    elsewhere = any((into, target, prefix))
    _refuse_useless("--venv", not elsewhere, {"--exact": exact})
    _refuse_useless("--into, --target and --prefix", elsewhere, {"--keep above 1": (keep or 0) > 1})
    _refuse_useless(
        "--bundled-python",
        bundled_python,
        {"--python": python is not None, "--into, --target and --prefix": elsewhere},
    )
    along = None
    keeps = python is None and not bundled_python and not elsewhere
    former = _former(managed_path(environment)) if keeps else None
    with (
        # It needs as long for its answer as the modules below to load.
        _asked(python, former) if into is None else nullcontext() as first,
        verified(bundle, trust) as checked,
    ):
        from wheelferry_installer.commands.progress_bar import bar
        from wheelferry_installer.environment import present
        from wheelferry_installer.host import places
        from wheelferry_installer.install import installation, merging
        from wheelferry_installer.plan import environment_plan, fitting, merge_plan
        from wheelferry_installer.plan.merge_plan import MergePlan, Wishes
        from wheelferry_installer.verify import accepted_bundles

        if first is not None:
            may_bring = python is None and not elsewhere
            fit, along = _fit(
                checked, python, first, managed_path(environment), bundled_python, may_bring, former
            )
            place = place_for(fit.interpreter, target, prefix, named=python is not None)
        else:
            assert into is not None
            place, theirs = places.into(into)
            fit = fitting.fit(checked.manifest, [theirs])
        accepted_bundles.refuse_older(checked, allowed=allow_downgrade)
        plan: EnvironmentPlan | MergePlan
        if place is None:
            plan = environment_plan.plan(
                checked,
                present.present_in(
                    managed_path(environment), None if reinstall else checked.sha256
                ),
                fit,
                compile_bytecode=compile_bytecode,
                reinstall=reinstall,
                allow_downgrade=allow_downgrade,
                replace_other=replace,
                bundled_python=along,
            )
        else:
            wishes = Wishes(
                compile_bytecode=compile_bytecode,
                reinstall=reinstall,
                exact=exact,
                force=force,
                allow_downgrade=allow_downgrade,
                replace_other=replace,
                keep=keep != 0,
            )
            plan = merge_plan.plan(checked, place, present.present_at(place), fit, wishes)
        now, sync = int(time.time()), not no_sync
        warn_of_plan(plan, now, former)
        if dry_run:
            if is_unfinished(plan.environment, place):
                warn(f"a change of {plan.environment} is unfinished: {UNFINISHED}")
            aside = None
            if not isinstance(plan, MergePlan):
                aside = installation.foresee(plan, keep, force=force)
            show_plan(plan, aside, as_json=as_json)
            return
        on_wait = waiting(plan.environment, no_wait=no_wait)
        done: Installation | Merged
        with bar("installing", sum(m.size for m in checked.members), shown=not quiet) as advance:
            if isinstance(plan, MergePlan):
                done = merging.install(plan, now, advance, sync=sync, on_wait=on_wait)
            else:
                done = installation.install(
                    plan, now, advance, sync=sync, keep=keep, force=force, on_wait=on_wait
                )
        chosen = fit.interpreter.base_executable if place is None and along is None else None
        _remember(checked, chosen, now, sync=sync)
    if as_json or not quiet:
        show_done(done, as_json=as_json)


def _remember(checked: VerifiedBundle, chosen: Path | None, now: int, *, sync: bool) -> None:
    """Remember what was accepted, and the Python of this host that was chosen for it."""
    from wheelferry_installer.host import former_python
    from wheelferry_installer.system import signals
    from wheelferry_installer.verify import accepted_bundles

    # It is installed, so that the exit code is 0: too late to stop it, and what follows is short.
    signals.ignore()
    accepted_bundles.remember(checked, now, warn, sync=sync)
    if chosen is not None:
        former_python.remember(chosen)


def _former(environment: Path) -> FormerPython | None:
    from wheelferry_installer.host import former_python

    return former_python.former_python(environment)


def _asked(python: str | None, former: FormerPython | None) -> InterpreterQuery:
    """Ask the Python that an environment was made with if it may be kept, else the first choice."""
    from wheelferry_installer.host import interpreter_search

    if former is not None and former.usable:
        with suppress(UnfitError):
            return interpreter_search.InterpreterQuery(former.path)
    return interpreter_search.InterpreterQuery(interpreter_search.first_choice(python))


def _fit(
    checked: VerifiedBundle,
    python: str | None,
    first: InterpreterQuery,
    environment: Path,
    bundled: bool,
    may_bring: bool,
    former: FormerPython | None,
) -> tuple[Fit, PythonArchive | None]:
    """Return what fits: with a Python of this host, else with the one that the bundle brings.

    The latter comes first where the environment was made with one that a bundle brought.
    """
    from wheelferry_installer.host import interpreter_search
    from wheelferry_installer.plan import fitting

    manifest = checked.manifest
    minors = sorted({target.python[1] for target in manifest.targets})
    if not bundled:
        if former is not None and former.bundled and manifest.pythons:
            with suppress(UnfitError):
                return _fit_bundled(manifest, first, environment)
        try:
            return fitting.fit(manifest, interpreter_search.find(python, minors, first)), None
        except UnfitError:
            if not may_bring or not manifest.pythons:
                raise
    return _fit_bundled(manifest, first, environment)


def _fit_bundled(
    manifest: Manifest, first: InterpreterQuery, environment: Path
) -> tuple[Fit, PythonArchive | None]:
    from wheelferry_installer.host import interpreter_search
    from wheelferry_installer.plan import carried_fit

    host = next(interpreter_search.find(None, (), first))
    fit = carried_fit.fit_bundled(manifest, host, environment)
    return fit, manifest.python_for(fit.target.id)


def _refuse_useless(what: str, given: bool, options: dict[str, bool]) -> None:
    """Raise `UsageError` where an option says nothing to what was asked for."""
    useless = [option for option, named in options.items() if named]
    if given and useless:
        raise UsageError(
            f"{' and '.join(useless)} cannot be combined with {what}", hint="leave one of them out"
        )
