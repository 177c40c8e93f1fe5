"""`bundle install`: from a bundle to an environment that is ready to run."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.options import (
    bundle_argument,
    json_option,
    quiet_option,
    signers_json,
    trust_options,
    verified,
)
from wheelferry_schemas.display import count, human_size, printable

if TYPE_CHECKING:
    from wheelferry_installer.installation import Installed
    from wheelferry_installer.planning import Plan

_EPILOG = """\b
Examples:
  bundle install bundle.tar.zst
  bundle install bundle.tar.zst --venv /opt/app/venv --python /usr/bin/python3.12
  bundle install bundle.tar.zst --dry-run
"""


@click.command(epilog=_EPILOG)
@bundle_argument
@click.option(
    "--venv",
    "environment",
    type=click.Path(path_type=Path),
    default=".venv",
    show_default=True,
    help="The environment to make, or to replace as a whole.",
)
@click.option(
    "--python",
    metavar="PATH|VERSION",
    help="The interpreter to use. Default: this one, else one on PATH that fits.",
)
@click.option("--compile", "compile_bytecode", is_flag=True, help="Compile all modules.")
@click.option("--no-sync", is_flag=True, help="Do not wait until all is safe on the disk.")
@click.option("--reinstall", is_flag=True, help="Install even what is there already.")
@click.option(
    "--allow-downgrade", is_flag=True, help="Accept a bundle older than what is installed."
)
@trust_options
@click.option("--dry-run", is_flag=True, help="Verify, show what would be done, and stop.")
@json_option
@quiet_option
def install(
    bundle: Path,
    environment: Path,
    python: str | None,
    compile_bytecode: bool,
    no_sync: bool,
    reinstall: bool,
    allow_downgrade: bool,
    allowed_signers: Path | None,
    require_signatures: int | None,
    allow_unsigned: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Verify BUNDLE and install it as one step, without any network.

    The environment is built beside its place and moved in when it is complete. Whatever goes
    wrong, what was there before stays as it was.
    """
    from wheelferry_installer import fitting, installation, interpreter, planning
    from wheelferry_installer.terminal import bar

    with verified(
        bundle,
        allowed_signers,
        require_signatures=require_signatures,
        allow_unsigned=allow_unsigned,
    ) as checked:
        minors = sorted({target.python[1] for target in checked.manifest.targets})
        fit = fitting.fit(checked.manifest, interpreter.find(python, minors))
        plan = planning.plan(
            checked,
            environment,
            fit,
            compile_bytecode=compile_bytecode,
            reinstall=reinstall,
            allow_downgrade=allow_downgrade,
        )
        if dry_run:
            _show_plan(plan, as_json=as_json)
            return
        total = sum(member.size for member in checked.members)
        with bar("installing", total, shown=not quiet) as advance:
            done = installation.install(plan, int(time.time()), advance, sync=not no_sync)
    if as_json:
        click.echo(json.dumps({**_plan_json(plan), "changed": done.changed}, indent=2))
    elif not quiet:
        _show_done(done)


def _show_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**_plan_json(plan), "changed": not plan.up_to_date}, indent=2))
        return
    for package in plan.packages:
        click.echo(f"  {package.name} {package.version}  {human_size(package.size)}")
    packages = count(len(plan.packages), "package")
    where = printable(os.fspath(plan.environment))
    if plan.up_to_date:
        click.echo(f"{where} has these {packages} already")
        return
    verb = "replace" if plan.present else "make"
    click.echo(f"would {verb} {where} with {packages}, for {plan.fit.interpreter.description}")


def _show_done(done: Installed) -> None:
    plan = done.plan
    for warning in done.warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    for signer in plan.bundle.signers:
        if signer.problem is None:
            click.echo(f"signed by {printable(signer.name or '?')} {signer.fingerprint}")
    packages = count(len(plan.packages), "package")
    where = printable(os.fspath(plan.environment))
    if not done.changed:
        click.echo(f"{where} is up to date: {packages}")
        return
    click.echo(f"installed {packages} into {where}, for {plan.fit.interpreter.description}")
    scripts = plan.environment / plan.fit.interpreter.paths["scripts"]
    click.echo(f"use it: {printable(os.fspath(scripts / 'python'))}")


def _plan_json(plan: Plan) -> dict[str, object]:
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
    }
