"""`bundle show`: what is in a bundle, for whoever has to let it pass."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.options import bundle_argument, json_option, signers_json
from wheelferry_schemas.display import count, human_size, printable
from wheelferry_schemas.errors import WheelferryError

if TYPE_CHECKING:
    from wheelferry_installer.policy import Policy
    from wheelferry_installer.verification import Signer
    from wheelferry_schemas.manifest import Manifest, Package


@click.command()
@bundle_argument
@json_option
def show(bundle: Path, as_json: bool) -> None:
    """Show the targets, packages, sizes and signers of BUNDLE.

    This reads the manifest and checks the signatures over it. That the wheels are those that the
    manifest lists, 'bundle verify' checks.
    """
    from wheelferry_installer.archive import open_bundle
    from wheelferry_installer.verification import judge_signatures
    from wheelferry_schemas import manifest

    opened = open_bundle(bundle)
    try:
        policy = _policy_if_any()
        signers = judge_signatures(opened, policy, int(time.time()))
        read = manifest.parse(opened.manifest_bytes)
    finally:
        opened.archive.close()
    if as_json:
        data = {"manifest": read.model_dump(mode="json"), "signers": signers_json(signers)}
        click.echo(json.dumps(data, indent=2))
    else:
        _print(bundle, read, signers)


def _policy_if_any() -> Policy | None:
    """Return this host's policy; without one, every key is unknown, which `show` says."""
    from wheelferry_installer.policy import load_policy

    try:
        return load_policy(None)
    except WheelferryError:
        return None


def _print(path: Path, manifest: Manifest, signers: tuple[Signer, ...]) -> None:
    version = f" {manifest.version}" if manifest.version else ""
    click.echo(f"{printable(path.name)}: {manifest.name}{version}, made {manifest.created}")
    made_from = manifest.made_from
    options = f" with {' '.join(made_from.options)}" if made_from.options else ""
    click.echo(f"from {printable(made_from.name + options)}, sha256 {made_from.sha256}")
    for signer in signers:
        known = f" {signer.name}" if signer.name else ""
        state = "signed by" if signer.problem is None else "signature does not count:"
        problem = f" ({signer.problem})" if signer.problem else ""
        click.echo(printable(f"{state}{known} {signer.fingerprint or ''}{problem}"))
    if not signers:
        click.echo("NOT SIGNED")
    for target in manifest.targets:
        packages = manifest.packages_for(target.id)
        size = human_size(sum(package.size for package in packages))
        click.echo(f"\n{target.id}: {count(len(packages), 'package')}, {size}")
        for package in packages:
            click.echo("  " + printable(_describe(package)))


def _describe(package: Package) -> str:
    text = f"{package.name} {package.version}  {human_size(package.size)}"
    if package.license:
        text += f"  {package.license}"
    if package.source.built:
        text += f"  built from {package.source.location}"
    return text
