"""`bundle key`: makes signing keys."""

from __future__ import annotations

from pathlib import Path

import click

from wheelferry_bundler.commands.printing import say


@click.group()
def key() -> None:
    """Make a key for signing bundles."""


@key.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), required=False)
def new(path: Path | None) -> None:
    """Make an Ed25519 key pair in OpenSSH's format: PATH and PATH.pub.

    Without PATH, make your own key, which 'bundle create' signs with and this host trusts.
    To set a passphrase: ssh-keygen -p -f PATH
    """
    from wheelferry_bundler import api
    from wheelferry_bundler.commands.signing_options import tell_public_half

    made = api.new_key(path)
    where = path or api.own_key_path()
    say(f"made {where}")
    tell_public_half(made, where)
