"""`bundle create`: makes a signed bundle from a lock."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from packaging.utils import canonicalize_name

from wheelferry_bundler.commands.create_options import (
    check_output,
    place_options,
    read_flags,
    selection_options,
    target_options,
)
from wheelferry_bundler.commands.option_groups import GroupedCommand, grouped
from wheelferry_bundler.commands.printing import say, say_command, say_json, tell, warn
from wheelferry_bundler.commands.signing_options import (
    key_option,
    open_signers,
    passphrase_option,
)
from wheelferry_schemas.display import count, human_size

if TYPE_CHECKING:
    from wheelferry_bundler.api import BundlePlan, Created, Source

_EPILOG = """\b
Examples:
  bundle create --platform manylinux_2_28_x86_64 --python 3.12
  bundle create --platform win_amd64 --no-dev -o windows.tar.zst
  bundle create requirements.txt --platform manylinux2014_aarch64
  bundle create --dry-run --json | jq '.targets[].packages[].filename'
"""


@click.command(
    cls=GroupedCommand, epilog=_EPILOG, short_help="Make a bundle from a lock (online host)."
)
@click.argument("source", type=click.Path(path_type=Path), default=".")
@grouped("For which hosts", target_options)
@grouped("What to take", selection_options)
@grouped("From where", place_options)
@grouped(
    "Signing and expiry",
    key_option,
    passphrase_option,
    click.option(
        "--unsigned",
        is_flag=True,
        help="Do not sign. Air-gapped hosts refuse the bundle by default.",
    ),
    click.option(
        "--expires",
        metavar="TIME",
        help="Refuse to install the bundle after this time: 90d, 12w, or a day such as 2027-03-31.",
    ),
)
@grouped(
    "Output",
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file to write.  [default: bundle.tar.zst, or bundle.pyz with --self-contained]",
    ),
    click.option(
        "--name",
        help="Name of the bundle. An environment accepts only bundles of one name. "
        "Default: the project's name, or the name of a requirements file's folder.",
    ),
    click.option(
        "--self-contained",
        is_flag=True,
        help="Include the installer: 'python3 bundle.pyz' then needs nothing but Python.",
    ),
    click.option("--force", is_flag=True, help="Overwrite the output file."),
    click.option(
        "--dry-run", is_flag=True, help="Show what the bundle would contain; write nothing."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
)
def create(**given: Any) -> None:
    """Make a bundle of exactly what SOURCE locks for the air-gapped host.

    SOURCE is a project folder, a uv.lock, a pylock.toml, a requirements file, a pyproject.toml or a
    script (PEP 723). In a folder, the first of these that exists is used. Anything that is not a
    lock is resolved with uv, for each target.
    """
    from wheelferry_bundler import api
    from wheelferry_bundler.commands.phase_bar import PhaseBar

    flags = read_flags(**given)
    targets = api.make_targets(flags.platforms, flags.pythons, flags.target_files)
    source = api.find_source(flags.source)
    if not flags.quiet:
        _tell_source(source)
    check_output(flags.output, force=flags.force or flags.dry_run)
    # Report a missing key and ask for passphrases before the long work begins.
    signers: api.Signers = api.UNSIGNED
    if not (flags.unsigned or flags.dry_run):
        signers = open_signers(flags.keys, flags.passphrase_file, quiet=flags.quiet)
    with PhaseBar(shown=not flags.quiet) as bar:
        plan = api.plan(source, targets, flags.options, on_progress=bar)
    _tell_plan(plan, quiet=flags.quiet)
    if flags.dry_run:
        _show_plan(plan, as_json=flags.as_json)
        return
    for artifact in () if plan.problems else plan.unhashed:
        warn(f"no hash to check {artifact.file_name} against")
    with PhaseBar(shown=not flags.quiet) as bar:
        created = api.create(
            plan,
            flags.output,
            signers=signers,
            created=flags.created,
            self_contained=flags.self_contained,
            on_progress=bar,
        )
    if flags.as_json:
        say_json(_created_json(created))
    elif not flags.quiet:
        _show_created(created)


def _tell_source(found: Source) -> None:
    name = found.path.name
    if found.passed_over:
        others = ", ".join(found.passed_over)
        tell(f"reading {name}; ignoring {others}")
    if found.lists_every_file():
        tell(
            f"{name} lists every file with its hash: using it as a lock, and checking it against the "
            "wheels' metadata"
        )
    elif not found.is_lock:
        tell(f"{name} is not a lock: resolving its requirements with uv")


def _tell_plan(plan: BundlePlan, *, quiet: bool) -> None:
    """Print what may surprise: excluded patch releases, default groups."""
    for text in plan.warnings:
        warn(text)
    if quiet:
        return
    tell(*dict.fromkeys(note for selection in plan.selections for note in selection.notes))
    wanted = plan.request.wanted
    if wanted.all_groups:
        return
    asked = {canonicalize_name(name) for name in (*wanted.groups, *wanted.only_groups)}
    groups = sorted({g for selection in plan.selections for g in selection.locked.groups} - asked)
    if groups:
        flag = "--no-dev" if groups == ["dev"] else "--no-default-groups"
        names = ", ".join(groups)
        tell(f"included by default, as in uv sync: dependency group {names} ({flag} excludes it)")


def _show_plan(plan: BundlePlan, *, as_json: bool) -> None:
    """Print a selection; raise afterwards if something is missing."""
    from wheelferry_bundler import api
    from wheelferry_bundler.commands.selection_json import selection_json

    if as_json:
        say_json(selection_json(plan))
    else:
        for selection in plan.selections:
            say(f"{selection.target.id}: {count(len(selection.chosen), 'package')}")
            for chosen in selection.chosen:
                file = chosen.wheel.file_name if chosen.wheel else "to be built"
                say(f"  {chosen.package.key}  {file}")
    api.check_complete(plan)


def _created_json(created: Created) -> dict[str, object]:
    return {
        "bundle": str(created.path),
        "size": created.size,
        "signers": [
            {"name": key.name, "fingerprint": key.public.fingerprint} for key in created.signers
        ],
        "manifest": created.manifest.plain(),
    }


def _show_created(created: Created) -> None:
    manifest = created.manifest
    for target in manifest.targets:
        packages = manifest.packages_for(target.id)
        size = human_size(sum(package.size for package in packages))
        say(f"{target.id}: {count(len(packages), 'package')}, wheels of {size}")
        # The lists of several targets would be nearly the same.
        for package in packages if len(manifest.targets) == 1 else ():
            built = f"  built from {package.source.location}"
            say(
                f"  {package.name} {package.version}  {human_size(package.size)}"
                f"{built if package.source.built else ''}"
            )
    wheels = count(len(manifest.packages), "wheel")
    say(f"{created.path}: {wheels} in a file of {human_size(created.size)}")
    for key in created.signers:
        say(f"signed by {key.name} {key.public.fingerprint}")
    if not created.signers:
        tell("NOT SIGNED: air-gapped hosts refuse it without --allow-unsigned")
    command = "bundle install"
    if created.sha256 is not None:
        say(f"sha256 {created.sha256}: compare it on the air-gapped host before you run the file")
        command = "python3"
    say_command("on the air-gapped host", f"{command} {shlex.quote(created.path.name)}")
