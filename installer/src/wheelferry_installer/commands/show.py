"""`bundle show`: what is in a bundle, for whoever has to let it pass."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import (
    bundle_argument,
    json_option,
    policy_if_any,
    signers_json,
)
from wheelferry_installer.commands.printing import say, say_bytes, say_json
from wheelferry_schemas.display import count, human_size

if TYPE_CHECKING:
    from wheelferry_installer.verify.bundle_facts import BundleFacts
    from wheelferry_schemas.bundle.manifest import Manifest, Package


@click.command()
@bundle_argument
@click.option("--sbom", is_flag=True, help="Print the bundle's SBOM (CycloneDX JSON).")
@click.option("--licenses", is_flag=True, help="List the packages by licence.")
@json_option
def show(bundle: Path, sbom: bool, licenses: bool, as_json: bool) -> None:
    """Show the targets, packages, sizes and signers of BUNDLE.

    This reads the manifest and checks the signatures over it. That the wheels are those that the
    manifest lists, 'bundle verify' checks.
    """
    if sbom:
        say_bytes(api.read_sbom(bundle))
        return
    facts = api.read(bundle, policy_if_any())
    if licenses:
        _print_licenses(facts.manifest, as_json=as_json)
    elif as_json:
        say_json({"manifest": facts.manifest.plain(), "signers": signers_json(facts.signers)})
    else:
        _print(facts)


def _print_licenses(manifest: Manifest, *, as_json: bool) -> None:
    by_license: dict[str, list[str]] = {}
    for package in manifest.packages:
        entry = by_license.setdefault(package.license or "not stated", [])
        described = f"{package.name} {package.version}"
        if described not in entry:
            entry.append(described)
    if as_json:
        say_json(by_license, sort_keys=True)
        return
    for name, packages in sorted(by_license.items()):
        say(name)
        for described in packages:
            say(f"  {described}")


def _print(facts: BundleFacts) -> None:
    path, manifest, signers = facts.path, facts.manifest, facts.signers
    version = f" {manifest.version}" if manifest.version else ""
    expires = f", expires {manifest.expires}" if manifest.expires else ""
    made = f"made {manifest.created}{expires} with {manifest.tool}"
    say(f"{path.name}: {manifest.name}{version}, {made}")
    made_from = manifest.made_from
    options = f" with {' '.join(made_from.options)}" if made_from.options else ""
    say(f"from {made_from.name + options}, sha256 {made_from.sha256}")
    for signer in signers:
        known = f" {signer.name}" if signer.name else ""
        state = "signed by" if signer.problem is None else "signature does not count:"
        problem = f" ({signer.problem})" if signer.problem else ""
        say(f"{state}{known} {signer.fingerprint or ''}{problem}")
    if not signers:
        say("NOT SIGNED")
    for target in manifest.targets:
        packages = manifest.packages_for(target.id)
        size = human_size(sum(package.size for package in packages))
        say("", f"{target.id}: {count(len(packages), 'package')}, wheels of {size}")
        python = manifest.python_for(target.id)
        if python is not None:
            say(f"  Python: {python.name}  {human_size(python.size)}")
        for package in packages:
            say("  " + _describe(package))


def _describe(package: Package) -> str:
    text = f"{package.name} {package.version}  {human_size(package.size)}"
    if package.license:
        text += f"  {package.license}"
    if package.source.built:
        text += f"  built from {package.source.location}"
    return text
