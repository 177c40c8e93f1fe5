"""Installs a planned bundle as one transaction: build beside, check, move in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from wheelferry_installer.environment import losses, pruning
from wheelferry_installer.environment.generations import ManagedEnvironment, locked
from wheelferry_installer.environment.losses import Losses
from wheelferry_installer.environment.present import present_in
from wheelferry_installer.environment.pruning import Pruned
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.install import carried_python, room, staging
from wheelferry_installer.install.compiling import compile_modules
from wheelferry_installer.install.wheel_workers import InstallPaths
from wheelferry_installer.plan import carried_fit
from wheelferry_installer.plan.environment_plan import EnvironmentPlan
from wheelferry_installer.system import disk
from wheelferry_installer.system.digests import file_digest
from wheelferry_schemas import receipt
from wheelferry_schemas.errors import TransferError, UsageError, WheelferryError
from wheelferry_schemas.receipt import InstalledFile, InstalledLink, InstalledPackage, Receipt

DEFAULT_KEEP = 1
"""How many former environments stay by default."""
_TIMEOUT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What happens to the previous environments.

    `losses` are files of others, which stay in the folder `former`. `pruned` are former
    environments that are removed although nothing is installed.
    """

    former: Path
    losses: Losses = field(default_factory=Losses)
    pruned: Pruned | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """An environment in place. `changed` is False if it already was as planned."""

    plan: EnvironmentPlan
    receipt: Receipt
    changed: bool
    warnings: tuple[str, ...] = ()
    aside: Aside


def install(
    plan: EnvironmentPlan,
    now: int,
    on_progress: Callable[[str, int], None],
    *,
    sync: bool = True,
    keep: int | None = None,
    force: bool = False,
    on_wait: Callable[[], None] | None = None,
) -> Replaced:
    """Install a plan; `now` is in seconds since the epoch. `keep` former environments stay.

    By default one stays, and all of them if nothing has to be installed. `on_progress` is called
    with a member's name and size when it is done. If another run is working on the environment,
    call `on_wait` and wait; without `on_wait` raise `ConflictError`, as if files of others would be
    lost, unless `force`. Raises `WheelferryError`; then the environment is as it was.
    """
    managed = ManagedEnvironment(plan.environment)
    aside = Aside(former=managed.previous)
    surplus = keep is not None and len(managed.kept) > keep
    if plan.up_to_date and plan.receipt is not None and not managed.unfinished and not surplus:
        return Replaced(plan=plan, receipt=plan.receipt, changed=False, aside=aside)
    try:
        with locked(plan.environment, on_wait) as managed:
            named = None if plan.reinstall else plan.bundle.sha256
            plan = plan.renewed(present_in(plan.environment, named))
            if plan.up_to_date and plan.receipt is not None:
                if keep is not None:
                    aside = replace(aside, pruned=pruning.prune(managed, keep, sync=sync))
                return Replaced(plan=plan, receipt=plan.receipt, changed=False, aside=aside)
            keep = DEFAULT_KEEP if keep is None else keep
            known = losses.refuse_replacement(managed, keep, force=force)
            room.require(plan.bundle, plan.packages, plan.environment, plan.bundled_python)
            plan, python = _python_for(plan, managed)
            written, warnings = _build(plan, python, managed, now, on_progress, sync=sync)
            # Something else may have appeared there meanwhile, which must not be moved away.
            plan.renewed(present_in(plan.environment))
            known = losses.refuse_newcomers(managed, keep, known, force=force)
            managed.commit(written.generation, sync=sync, keep=keep)
            if managed.unfinished:
                warnings.append("obsolete files are still there; the next run removes them")
    except OSError as error:
        what = f"{plan.environment} could not be written"
        raise disk.failure(what, error, kept="the environment is as it was") from error
    return Replaced(
        plan=plan,
        receipt=written,
        changed=True,
        warnings=tuple(warnings),
        aside=replace(aside, losses=known.losses),
    )


def foresee(plan: EnvironmentPlan, keep: int | None, *, force: bool) -> Aside:
    """Return what `install` would put aside; raises `ConflictError` as that does."""
    managed = ManagedEnvironment(plan.environment)
    aside = Aside(former=managed.previous)
    if not plan.up_to_date:
        keep = DEFAULT_KEEP if keep is None else keep
        looked = losses.refuse_replacement(managed, keep, force=force)
        return replace(aside, losses=looked.losses)
    return aside if keep is None else replace(aside, pruned=pruning.plan(managed.kept, keep))


def uninstall(
    environment: Path, *, force: bool, sync: bool = True, on_wait: Callable[[], None] | None = None
) -> tuple[InstalledPackage, ...]:
    """Remove an environment and the former ones; returns the packages that were in it.

    Raises `ConflictError` if files were edited or added since, unless `force`.
    """
    begun = ManagedEnvironment(environment).unfinished
    if not begun and read_receipt(environment) is None:
        raise UsageError(
            f"{environment} is not an environment that wheelferry made",
            hint="name one with --venv; other places with --into, --target or --prefix",
        )
    try:
        with locked(environment, on_wait) as managed:
            present = read_receipt(environment)
            if present is None:
                # Recovery has completed a crashed run, or another run was faster.
                return ()
            if not force:
                kept = {generation.path: generation.receipt for generation in managed.kept}
                losses.refuse_removal({environment: present, **kept})
            managed.uninstall(sync=sync)
            return present.packages
    except OSError as error:
        what = f"{environment} could not be removed"
        raise disk.failure(what, error, kept="it is as it was") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Python:
    """The interpreter to make an environment with, and its files if they are part of it."""

    path: Path
    files: tuple[InstalledFile, ...] = ()


def _python_for(
    plan: EnvironmentPlan, managed: ManagedEnvironment
) -> tuple[EnvironmentPlan, _Python]:
    """Begin staging, with the Python of the bundle if that is used; returns the completed plan."""
    # With umask 002 others could write to it, and its receipt would not be trusted.
    managed.staging.mkdir(0o755)
    if plan.bundled_python is None:
        return plan, _Python(path=plan.fit.interpreter.base_executable)
    folder = managed.staging / carried_fit.FOLDER
    files = carried_python.unpack(plan.bundle, plan.bundled_python, folder, managed.staging)
    plan = replace(plan, fit=carried_python.ask_bundled(plan.fit, folder))
    return plan, _Python(path=carried_python.executable_in(folder), files=files)


def _build(
    plan: EnvironmentPlan,
    python: _Python,
    managed: ManagedEnvironment,
    now: int,
    on_progress: Callable[[str, int], None],
    *,
    sync: bool,
) -> tuple[Receipt, list[str]]:
    """Build the environment in staging; returns its receipt and warnings."""
    _make_venv(plan, python.path, managed)
    files, links = (*python.files, *_files_in(managed.staging)), _links_in(managed.staging)
    interpreter = plan.fit.interpreter
    paths = dict(interpreter.paths)
    executable = "python.exe" if os.name == "nt" else "python"
    where = InstallPaths(
        staging=managed.staging,
        schemes=paths,
        headers=f"include/site/python{interpreter.markers['python_version']}",
        interpreter=os.fspath(plan.environment / paths["scripts"] / executable),
        python=interpreter.markers["python_version"],
        flushed=sync,
        lock=managed.lock,
    )
    outcomes = staging.install_wheels(plan.bundle, plan.packages, where, on_progress)
    warnings = staging.judge_contested(managed.staging, outcomes)
    if plan.compile_bytecode:
        modules = staging.modules_below(paths["purelib"], outcomes)
        compile_modules(python.path, managed.staging, modules, plan.environment)
    written = staging.write_receipt(
        managed.staging / receipt.FOLDER,
        plan.bundle,
        plan.fit,
        staging.installed_packages(plan.packages, outcomes),
        now,
        compiled=plan.compile_bytecode,
        files=files,
        links=links,
    )
    return written, warnings


def _make_venv(plan: EnvironmentPlan, python: Path, managed: ManagedEnvironment) -> None:
    final = plan.environment
    name = plan.bundle.manifest.name
    prompt = name if final.name in (".venv", "venv") else final.name
    script = (resources.files("wheelferry_installer.foreign") / "make_venv.py").read_text(
        encoding="utf-8"
    )
    arguments = ["-c", script, str(managed.staging), str(final), prompt]
    _run_python(python, arguments, managed.lock)
    (managed.staging / ".gitignore").write_text("*\n", encoding="ascii")


def _run_python(interpreter: Path, arguments: Sequence[str], lock: Sequence[int]) -> None:
    """Run the interpreter, which holds the lock too: it may outlive this process."""
    run = subprocess.run(
        [os.fspath(interpreter), "-I", *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=_TIMEOUT,
        pass_fds=() if os.name == "nt" else lock,
    )
    if run.returncode != 0:
        said = (run.stderr + run.stdout).decode(errors="replace").strip().splitlines()
        failure = TransferError if run.returncode == TransferError.exit_code else WheelferryError
        raise failure(
            f"{interpreter} could not create an environment",
            details=said[-10:],
            hint="on Debian and Ubuntu the package python3-venv may be missing",
        )


def _files_in(folder: Path) -> tuple[InstalledFile, ...]:
    python = folder / carried_fit.FOLDER
    return tuple(
        InstalledFile(
            path=path.relative_to(folder).as_posix(), sha256=(file_digest(path) or b"").hex()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and python not in path.parents
    )


def _links_in(folder: Path) -> tuple[InstalledLink, ...]:
    return tuple(
        InstalledLink(path=path.relative_to(folder).as_posix(), target=os.readlink(path))
        for path in sorted(folder.rglob("*"))
        if path.is_symlink()
    )
