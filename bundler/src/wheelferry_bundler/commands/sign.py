"""`bundle sign`: adds a signature to a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from wheelferry_bundler.commands.printing import say
from wheelferry_bundler.commands.signing_options import key_option, open_signers, passphrase_option
from wheelferry_schemas.display import count


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@key_option
@passphrase_option
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def sign(bundle: Path, keys: tuple[Path, ...], passphrase_file: Path | None, quiet: bool) -> None:
    """Add your signature to BUNDLE, without changing its contents.

    Check it first with 'bundle show' and 'bundle verify'.
    """
    from wheelferry_bundler import api

    signers = open_signers(keys, passphrase_file, quiet=quiet)
    signed = api.sign(bundle, signers)
    if quiet:
        return
    packages = count(len(signed.packages), "package")
    say(f"{bundle.name}: {signed.name}, {packages}, made {signed.created}")
    for signer in signers:
        say(f"signed by {signer.name} {signer.public.fingerprint}")
