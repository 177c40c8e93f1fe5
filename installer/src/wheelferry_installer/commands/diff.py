"""`bundle diff`: what a newer bundle changes, for whoever has to let it pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.options import json_option
from wheelferry_schemas.display import printable

if TYPE_CHECKING:
    from wheelferry_schemas.manifest import Manifest

_BUNDLE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("old", type=_BUNDLE)
@click.argument("new", type=_BUNDLE)
@json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Show which packages NEW adds, removes or changes, compared with OLD.

    This reads manifests only; who signed the bundles, 'bundle verify' tells.
    """
    changes = _changes(_wheels(_read(old)), _wheels(_read(new)))
    if as_json:
        click.echo(json.dumps(changes, indent=2))
        return
    if not changes:
        click.echo("the same wheels")
    for change in changes:
        before, after = change["old"], change["new"]
        sign = "~" if before and after else "+" if after else "-"
        versions = f"{before} -> {after}" if before and after else before or after
        same = " (same version, other file)" if before == after else ""
        click.echo(printable(f"{sign} {change['target']}: {change['name']} {versions}{same}"))


def _read(path: Path) -> Manifest:
    from wheelferry_installer.archive import open_bundle
    from wheelferry_schemas import manifest

    opened = open_bundle(path)
    opened.archive.close()
    return manifest.parse(opened.head.manifest.content)


def _wheels(manifest: Manifest) -> dict[tuple[str, str], tuple[str, str]]:
    """Return version and hash of each package by target and name."""
    return {
        (target, package.name): (package.version, package.sha256)
        for package in manifest.packages
        for target in package.targets
    }


def _changes(
    old: dict[tuple[str, str], tuple[str, str]], new: dict[tuple[str, str], tuple[str, str]]
) -> list[dict[str, str | None]]:
    return [
        {
            "target": target,
            "name": name,
            "old": old[target, name][0] if (target, name) in old else None,
            "new": new[target, name][0] if (target, name) in new else None,
        }
        for target, name in sorted(old.keys() | new.keys())
        if old.get((target, name)) != new.get((target, name))
    ]
