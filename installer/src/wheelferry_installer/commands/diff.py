"""`bundle diff`: what a newer bundle changes, for whoever has to let it pass."""

from __future__ import annotations

from pathlib import Path

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import json_option
from wheelferry_installer.commands.printing import say, say_json

_BUNDLE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("old", type=_BUNDLE)
@click.argument("new", type=_BUNDLE)
@json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Show which packages and Pythons NEW adds, removes or changes, compared with OLD.

    This reads manifests only; 'bundle verify' checks who signed the bundles.
    """
    comparison = api.compare(old, new)
    if as_json:
        say_json([change._asdict() for change in comparison.changes])
    else:
        say(*comparison.lines)
