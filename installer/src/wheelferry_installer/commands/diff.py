"""`bundle diff`: what a newer bundle changes, for whoever has to let it pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.bundle_options import json_option
from wheelferry_installer.commands.printing import say, say_json
from wheelferry_schemas.display import count

if TYPE_CHECKING:
    from wheelferry_schemas.bundle.manifest import Manifest

_Contents = Mapping[tuple[str, str, str], tuple[str, str]]
"""Version (of a Python, the name of its archive) and hash, by target, kind and name."""
_BUNDLE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("old", type=_BUNDLE)
@click.argument("new", type=_BUNDLE)
@json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Show which packages and Pythons NEW adds, removes or changes, compared with OLD.

    This reads manifests only; who signed the bundles, 'bundle verify' tells.
    """
    before, after = _read(old), _read(new)
    changes = _changes(_contents(before), _contents(after))
    if as_json:
        say_json(changes)
        return
    say(*_lines(before, after, changes))


def _lines(
    before: Manifest, after: Manifest, changes: Sequence[Mapping[str, str | None]]
) -> Iterator[str]:
    """Yield what changes, of a target that comes or goes in one line, and how much it is in all."""
    from wheelferry_installer.plan.package_changes import tallied

    old, new = ({target.id for target in manifest.targets} for manifest in (before, after))
    for target, sign, manifest in (
        *((target, "-", before) for target in sorted(old - new)),
        *((target, "+", after) for target in sorted(new - old)),
    ):
        packages = count(len(manifest.packages_for(target)), "package")
        yield f"{sign} {target}: {'a new' if sign == '+' else 'no longer a'} target, {packages}"
    lines = [_describe(change) for change in changes if change["target"] in old & new]
    yield from lines
    parts = [
        *(
            f"{count(len(ids), 'target')} {what}"
            for ids, what in ((new - old, "new"), (old - new, "gone"))
            if ids
        ),
        *tallied(lines),
    ]
    yield ", ".join(parts) or "the same wheels" + (" and Pythons" if after.pythons else "")


def _read(path: Path) -> Manifest:
    from wheelferry_installer.verify.archive_reader import open_bundle
    from wheelferry_schemas.bundle import manifest

    opened = open_bundle(path)
    opened.archive.close()
    return manifest.parse(opened.head.manifest.content)


def _contents(manifest: Manifest) -> _Contents:
    """Return what each target has."""
    packages = {
        (target, "package", package.name): (package.version, package.sha256)
        for package in manifest.packages
        for target in package.targets
    }
    pythons = {
        (target, "python", "Python"): (python.name, python.sha256)
        for python in manifest.pythons
        for target in python.targets
    }
    return packages | pythons


def _changes(old: _Contents, new: _Contents) -> list[dict[str, str | None]]:
    from wheelferry_installer.plan.package_changes import differing

    return [
        {
            "target": target,
            "kind": kind,
            "name": name,
            "old": before[0] if before else None,
            "new": after[0] if after else None,
        }
        for (target, kind, name), before, after in differing(old, new)
    ]


def _describe(change: Mapping[str, str | None]) -> str:
    from wheelferry_installer.plan.package_changes import described

    same = "version" if change["kind"] == "package" else "name"
    return described(
        f"{change['target']}: {change['name']}",
        change["old"],
        change["new"],
        same=f"same {same}, other file",
    )
