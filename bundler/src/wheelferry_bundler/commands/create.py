"""`bundle create`: from a lock to a signed bundle."""

from __future__ import annotations

import os
import re
import shlex
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from packaging.utils import canonicalize_name

from wheelferry_bundler.commands.create_options import (
    check_output,
    place_options,
    read_build_options,
    read_wanted,
    recorded_options,
    selection_options,
    target_options,
)
from wheelferry_bundler.commands.option_groups import GroupedCommand, grouped
from wheelferry_bundler.commands.printing import say, say_command, say_json, tell, warn
from wheelferry_bundler.commands.signing_options import key_option, own_keys, passphrase_option
from wheelferry_schemas.display import count, human_size
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.create.bundle_plan import BundlePlan
    from wheelferry_bundler.create.creation import Created
    from wheelferry_bundler.read.inputs import Input

_DAY = 24 * 60 * 60
_BUILD_FLAGS = ("find_links", "index_urls", "no_build", "no_build_packages", "config_settings")
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
        "--unsigned", is_flag=True, help="Do not sign. The far side will refuse the bundle."
    ),
    click.option(
        "--expires",
        metavar="TIME",
        help="From when on the far side refuses the bundle: 90d, 12w, or a day such as 2027-03-31.",
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
        help="What the bundle is called. The far side lets none of another name take its place. "
        "Default: the project's name, or that of the folder of a requirements file.",
    ),
    click.option(
        "--self-contained",
        is_flag=True,
        help="Put the installer in as well: over there 'python3 bundle.pyz' needs nothing but "
        "Python.",
    ),
    click.option("--force", is_flag=True, help="Replace the output if it exists."),
    click.option("--dry-run", is_flag=True, help="Show what would go in; write nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
)
def create(
    source: Path,
    platforms: tuple[str, ...],
    pythons: tuple[str, ...],
    target_files: tuple[Path, ...],
    output: Path | None,
    name: str | None,
    self_contained: bool,
    force: bool,
    keys: tuple[Path, ...],
    passphrase_file: Path | None,
    expires: str | None,
    unsigned: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    with_build_deps: bool,
    allow_missing_hash: bool,
    python_archives: tuple[str, ...],
    dev: bool,
    only_dev: bool,
    **flags: Any,
) -> None:
    """Make a bundle of everything that SOURCE locks for the far side, and nothing else.

    SOURCE is a project folder, a uv.lock, a pylock.toml, a requirements file, a pyproject.toml or a
    script (PEP 723). In a folder, the first of these that is found is taken. What is not a lock is
    resolved for each target with uv.
    """
    from wheelferry_bundler.create import bundle_plan
    from wheelferry_bundler.fetch.python_archives import read_python_archives
    from wheelferry_bundler.model import bundle_names
    from wheelferry_bundler.read.inputs import find_input
    from wheelferry_bundler.read.targets import make_targets

    build_flags = {name: flags.pop(name) for name in _BUILD_FLAGS}
    wanted = read_wanted(dev=dev, only_dev=only_dev, **flags)
    if unsigned and keys:
        raise UsageError("--unsigned and --key exclude each other", hint="leave one of them out")
    name = None if name is None else bundle_names.checked(name)
    output = output or Path("bundle.pyz" if self_contained else "bundle.tar.zst")
    targets = make_targets(platforms, pythons, target_files)
    found = find_input(source)
    if not quiet:
        _tell_input(found)
    check_output(output, force=force or dry_run)
    # A key that is not there, or a passphrase, is asked for before the long work begins.
    keyless = unsigned or dry_run
    signers = (lambda: ()) if keyless else own_keys(keys, passphrase_file, quiet=quiet)
    created_at = _created_at()
    expires_at = None if expires is None else _expires_at(expires, created_at)
    building = read_build_options(found, **build_flags)
    plan = bundle_plan.plan(
        bundle_plan.Request(
            source=found,
            name=name,
            targets=targets,
            wanted=wanted,
            building=building,
            options=recorded_options(wanted),
            pythons=read_python_archives(python_archives, targets),
            build_dependencies=with_build_deps,
            missing_hashes=allow_missing_hash,
        )
    )
    plan = _checked(plan, quiet=quiet)
    if not quiet:
        _tell_choice(plan)
    if dry_run:
        _show_plan(plan, as_json=as_json)
        return
    bundle_plan.check_complete(plan)
    from wheelferry_bundler.carry.installer_files import plan_payload
    from wheelferry_bundler.carry.self_contained_writer import create_with_installer
    from wheelferry_bundler.commands.phase_bar import PhaseBar
    from wheelferry_bundler.create import creation
    from wheelferry_bundler.fetch.cache import Cache

    needed = plan_payload(targets, building) if self_contained else None
    for artifact in plan.unhashed:
        warn(f"nothing vouches for {artifact.file_name}")
    bar = PhaseBar(shown=not quiet)
    cache, progress = Cache.default(), creation.Progress(step=bar.step, advance=bar.advance)

    def create_at(path: Path) -> Created:
        return creation.create(plan, path, cache, created_at, signers, progress, expires_at)

    try:
        if needed is None:
            created = create_at(output)
        else:
            created = create_with_installer(needed, output, cache, progress, create_at)
    finally:
        bar.finish()
    if as_json:
        say_json(_created_json(created))
    elif not quiet:
        _show_created(created)


def _checked(plan: BundlePlan, *, quiet: bool) -> BundlePlan:
    """Return the plan with what is missing by what the wheels state; prints what may not fit."""
    if plan.problems:
        from wheelferry_bundler.create.older_versions import with_older_versions

        plan = with_older_versions(plan)
    if plan.closed:
        return plan
    from wheelferry_bundler.commands.phase_bar import PhaseBar
    from wheelferry_bundler.create.completeness import check_closure
    from wheelferry_bundler.create.creation import Progress
    from wheelferry_bundler.fetch.cache import Cache

    bar = PhaseBar(shown=not quiet)
    try:
        plan = check_closure(plan, Cache.default(), Progress(step=bar.step, advance=bar.advance))
    finally:
        bar.finish()
    for text in plan.warnings:
        warn(text)
    return plan


def _created_at() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return int(time.time())
    if not text.isdigit() or int(text) >= 2**33:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {text!r}, not a number of seconds since 1970",
            hint="unset it, or set it to such a number: date +%s",
        )
    return int(text)


def _expires_at(text: str, created: int) -> int:
    """Read `90d`, `12w` (counted from `created`) or a day, whose end is meant."""
    if match := re.fullmatch(r"([1-9][0-9]{0,4})([dw])", text):
        return created + int(match[1]) * (7 if match[2] == "w" else 1) * _DAY
    try:
        day = datetime.strptime(f"{text}+0000", "%Y-%m-%d%z")
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a time to expire at", hint="examples: 90d, 12w, 2027-03-31"
        ) from error
    expires = int(day.timestamp()) + _DAY
    if expires <= created:
        raise UsageError(f"{text} has passed already", hint="choose a later day for --expires")
    return expires


def _tell_input(found: Input) -> None:
    name = found.path.name
    if found.passed_over:
        others = ", ".join(found.passed_over)
        tell(f"reading {name}; passed over {others}")
    if found.lists_every_file():
        tell(
            f"{name} lists every file with its hash: taken as it stands, and checked against the "
            "wheels' metadata"
        )
    elif not found.is_lock:
        tell(f"{name} is no lock: what it asks for is resolved now, with uv")


def _tell_choice(plan: BundlePlan) -> None:
    """Say what one may not expect: patch releases that are left out, groups that nobody asked for."""
    tell(*dict.fromkeys(note for selection in plan.selections for note in selection.notes))
    wanted = plan.request.wanted
    if wanted.all_groups:
        return
    asked = {canonicalize_name(name) for name in (*wanted.groups, *wanted.only_groups)}
    groups = sorted({g for selection in plan.selections for g in selection.locked.groups} - asked)
    if groups:
        flag = "--no-dev" if groups == ["dev"] else "--no-default-groups"
        names = ", ".join(groups)
        tell(f"in by default, as in uv sync: dependency group {names} ({flag} leaves it out)")


def _show_plan(plan: BundlePlan, *, as_json: bool) -> None:
    """Print a selection; raises where something is missing, after printing it."""
    from wheelferry_bundler.commands.selection_json import selection_json
    from wheelferry_bundler.create import bundle_plan

    if as_json:
        say_json(selection_json(plan))
    else:
        for selection in plan.selections:
            say(f"{selection.target.id}: {count(len(selection.chosen), 'package')}")
            for chosen in selection.chosen:
                file = chosen.wheel.file_name if chosen.wheel else "to be built"
                say(f"  {chosen.package.key}  {file}")
    bundle_plan.check_complete(plan)


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
        # Of several targets the lists would be much the same.
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
        tell("NOT SIGNED: the far side refuses it unless told --allow-unsigned")
    command = "bundle install"
    if created.sha256 is not None:
        say(f"sha256 {created.sha256}: compare it over there, before you run the file")
        command = "python3"
    say_command("on the far side", f"{command} {shlex.quote(created.path.name)}")
