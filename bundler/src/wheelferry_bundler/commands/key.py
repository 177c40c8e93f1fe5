"""`bundle key`: signing keys."""

from __future__ import annotations

from pathlib import Path

import click

from wheelferry_bundler.commands.printing import say


@click.group()
def key() -> None:
    """Make a key to sign bundles with."""


@key.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), required=False)
def new(path: Path | None) -> None:
    """Make an Ed25519 key pair in OpenSSH's format: PATH and PATH.pub.

    Without PATH it is your own, the one that 'bundle create' signs with, and this host trusts it.
    A passphrase can be set with: ssh-keygen -p -f PATH
    """
    from wheelferry_bundler.commands.signing_options import own_folder, tell_public_half
    from wheelferry_bundler.sign import signing_keys

    folder = own_folder()
    where = path or folder / signing_keys.KEY_NAME
    made = signing_keys.new_key(where)
    if path is None:
        signing_keys.trust_here(folder, made)
    say(f"made {where}")
    tell_public_half(made, where)
