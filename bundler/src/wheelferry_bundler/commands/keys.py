"""The keys that commands sign with, and what a user is told when the first one is made."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_bundler.commands.printing import ask_secret, tell, tell_command
from wheelferry_schemas import user_folders

if TYPE_CHECKING:
    from wheelferry_bundler.signing import Signer


key_option = click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign with this key: an Ed25519 key file, or, through ssh-keygen, a .pub file for a key "
    "in the agent, or any other key. Default: your own, made on first use.",
)


def own_folder() -> Path:
    """Return the folder of this user's settings, in which this host's installer finds whom it trusts."""
    return Path(user_folders.config_folder(os.environ, sys.platform, os.path.expanduser("~")))


def own_keys(paths: Sequence[Path], *, quiet: bool) -> Callable[[], tuple[Signer, ...]]:
    """Return what gives the keys that `--key` names, else the user's own.

    Keys that exist are read, and passphrases asked for, at once. The user's own, where there is
    none yet, is made only when it is needed: a run that fails before that has changed nothing.
    """
    from wheelferry_bundler import signing

    folder = own_folder()
    path = folder / signing.KEY_NAME
    if not paths and not path.exists():
        return lambda: (_make_own(folder, path, quiet=quiet),)
    signers = tuple(signing.open_key(p, ask_passphrase) for p in paths or (path,))
    return lambda: signers


def _make_own(folder: Path, path: Path, *, quiet: bool) -> Signer:
    from wheelferry_bundler import signing

    key = signing.new_key(path)
    signing.trust_here(folder, key)
    if not quiet:
        tell(f"made a signing key for you: {path}")
        tell_public_half(key, path)
    return key


def ask_passphrase(path: Path) -> str:
    """Ask on the terminal for the passphrase of a key."""
    return ask_secret(f"passphrase of {path}")


def tell_public_half(key: Signer, path: Path) -> None:
    """Say what a signer's public half is, and how the far side comes to accept it."""
    from wheelferry_bundler.signing import public_path

    public = public_path(path)
    tell_command("its public half", f"{key.public.line()} {key.name}")
    tell(f"its fingerprint: {key.public.fingerprint}")
    tell("take the public half to the far side once, not with the bundle:")
    tell(f"  here:  {public}")
    tell_command("  there", f"bundle trust add {shlex.quote(public.name)}")
