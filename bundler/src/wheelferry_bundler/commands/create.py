"""`bundle create`: makes a signed bundle from a lock."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from packaging.utils import canonicalize_name

from wheelferry_bundler.commands.create_options import (
    check_output,
    lasting_options,
    named_target_option,
    output_options,
    place_options,
    platform_options,
    risk_options,
    selection_options,
)
from wheelferry_bundler.commands.option_groups import GroupedCommand, grouped
from wheelferry_bundler.commands.phase_bar import PhaseBar
from wheelferry_bundler.commands.printing import say, say_command, say_json, tell, warn
from wheelferry_bundler.commands.signing_options import (
    key_option,
    open_signers,
    passphrase_option,
)
from wheelferry_bundler.commands.stated_options import created_at, stated_options
from wheelferry_schemas.display import count, human_size
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.api import (
        BundlePlan,
        Created,
        Order,
        Settings,
        Signers,
        Source,
        WantedBundle,
    )

_EPILOG = """\b
Examples:
  bundle create --platform manylinux_2_28_x86_64 --python 3.12
  bundle create --target factory
  bundle create --platform win_amd64 --no-dev -o windows.tar.zst
  bundle create requirements.txt --platform manylinux2014_aarch64
  bundle create --dry-run --json | jq '.targets[].packages[].filename'
"""


@click.command(
    cls=GroupedCommand, epilog=_EPILOG, short_help="Make a bundle from a lock (online host)."
)
@click.argument("source", type=click.Path(path_type=Path), default=".")
@grouped("For which hosts", platform_options, named_target_option)
@grouped("What to take", selection_options)
@grouped("From where", place_options, risk_options)
@grouped(
    "Signing and expiry",
    key_option,
    passphrase_option,
    click.option(
        "--unsigned",
        is_flag=True,
        help="Do not sign. Air-gapped hosts refuse the bundle by default.",
    ),
    lasting_options,
)
@grouped(
    "Output",
    output_options,
    click.option("--force", is_flag=True, help="Overwrite the output file."),
    click.option(
        "--dry-run", is_flag=True, help="Show what the bundle would contain; write nothing."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
)
@click.option(
    "--no-settings", is_flag=True, help="Read no [tool.wheelferry] and no wheelferry.toml."
)
@click.pass_context
def create(context: click.Context, /, source: Path, **flags: Any) -> None:
    """Make a bundle of exactly what SOURCE locks for the air-gapped host.

    SOURCE is a project folder, a uv.lock, a pylock.toml, a requirements file, a pyproject.toml or a
    script (PEP 723). In a folder, the first of these that exists is used. Anything that is not a
    lock is resolved with uv, for each target. What is not said here, [tool.wheelferry] of the
    project says.
    """
    from wheelferry_bundler import api

    if flags["unsigned"] and flags["keys"]:
        raise UsageError("--unsigned and --key exclude each other", hint="leave one of them out")
    quiet, created = flags["quiet"], created_at()
    found = api.find_source(source)
    settings = None if flags["no_settings"] else api.read_settings(found)
    bundles = api.wanted_bundles(settings, stated_options(context), created=created)
    if not quiet:
        _tell_source(found)
        _tell_settings(settings)
    replaces = flags["force"] or flags["dry_run"]
    for bundle in bundles:
        if "{" not in str(bundle.output):
            check_output(bundle.output, force=replaces)
    signers = _signers(bundles, flags)
    orders = _planned(found, bundles, signers, quiet=quiet)
    for order in orders:
        check_output(order.output, force=replaces)
    if flags["dry_run"]:
        _show_plans(orders, as_json=flags["as_json"])
        return
    with PhaseBar(shown=not quiet) as bar:
        made = api.create_all(orders, created=created, on_progress=bar)
    if flags["as_json"]:
        say_json(several_json([_created_json(one) for one in made]))
    elif not quiet:
        for one in made:
            _show_created(one)


def _signers(
    bundles: Sequence[WantedBundle], flags: Mapping[str, Any]
) -> dict[tuple[Path, ...], Signers]:
    """Return who signs, by the files of keys that bundles state.

    A missing key is reported, and passphrases are asked for, before the long work begins.
    """
    from wheelferry_bundler import api

    all_keys = dict.fromkeys(bundle.keys for bundle in bundles)
    if flags["unsigned"] or flags["dry_run"]:
        return dict.fromkeys(all_keys, api.UNSIGNED)
    file, quiet = flags["passphrase_file"], flags["quiet"]
    return {keys: open_signers(keys, file, quiet=quiet) for keys in all_keys}


def _planned(
    source: Source,
    bundles: Sequence[WantedBundle],
    signers: Mapping[tuple[Path, ...], Signers],
    *,
    quiet: bool,
) -> list[Order]:
    """Plan all bundles, and say what may surprise, once."""
    from wheelferry_bundler import api

    plans = []
    for bundle in bundles:
        with PhaseBar(shown=not quiet) as bar:
            plans.append(api.plan(source, bundle.targets, bundle.options, on_progress=bar))
    outputs = api.outputs_of(bundles, plans)
    for text in dict.fromkeys(text for plan in plans for text in plan.warnings):
        warn(text)
    if not quiet:
        tell(*dict.fromkeys(line for plan in plans for line in _notes(plan)))
    unhashed = (artifact for plan in plans if not plan.problems for artifact in plan.unhashed)
    for artifact in dict.fromkeys(unhashed):
        warn(f"no hash to check {artifact.file_name} against")
    return [
        api.Order(
            plan=plan,
            output=output,
            signers=signers[bundle.keys],
            self_contained=bundle.self_contained,
        )
        for bundle, plan, output in zip(bundles, plans, outputs, strict=True)
    ]


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


def _tell_settings(settings: Settings | None) -> None:
    if settings is not None:
        tell(*settings.notes)
        tell(f"using the settings in {settings.path} (--no-settings ignores them)")


def _notes(plan: BundlePlan) -> Iterator[str]:
    """Yield what may surprise: excluded patch releases, default groups."""
    yield from (note for selection in plan.selections for note in selection.notes)
    wanted = plan.request.wanted
    if wanted.all_groups:
        return
    asked = {canonicalize_name(name) for name in (*wanted.groups, *wanted.only_groups)}
    groups = sorted({g for selection in plan.selections for g in selection.locked.groups} - asked)
    if groups:
        flag = "--no-dev" if groups == ["dev"] else "--no-default-groups"
        names = ", ".join(groups)
        yield f"included by default, as in uv sync: dependency group {names} ({flag} excludes it)"


def _show_plans(orders: Sequence[Order], *, as_json: bool) -> None:
    """Print selections; raise afterwards if something is missing."""
    from wheelferry_bundler import api
    from wheelferry_bundler.commands.selection_json import selection_json

    if as_json:
        plans = [selection_json(order.plan) for order in orders]
        if len(orders) > 1:
            plans = [
                {"bundle": str(order.output), **plan}
                for order, plan in zip(orders, plans, strict=True)
            ]
        say_json(several_json(plans))
    else:
        for order in orders:
            if len(orders) > 1:
                say(f"{order.output}:")
            for selection in order.plan.selections:
                say(f"{selection.target.id}: {count(len(selection.chosen), 'package')}")
                for chosen in selection.chosen:
                    file = chosen.wheel.file_name if chosen.wheel else "to be built"
                    say(f"  {chosen.package.key}  {file}")
    api.check_complete(*(order.plan for order in orders))


def several_json(results: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    """Return the result for one bundle as it is, for several those as a list."""
    return results[0] if len(results) == 1 else {"bundles": list(results)}


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
