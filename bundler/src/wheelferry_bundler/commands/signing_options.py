"""Options for signing keys, and what is printed when the first key is made."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_bundler.commands.printing import ask_secret, tell, tell_command
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.api import Signer

key_option = click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign with this key: an Ed25519 key file or, through ssh-keygen, the .pub file of a key "
    "in the agent, or any other key. Default: your own key, made on first use.",
)

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read the key's passphrase from the first line of this file, such as /dev/fd/3.",
)


def open_signers(
    paths: Sequence[Path], passphrase_file: Path | None, *, quiet: bool
) -> tuple[Signer, ...]:
    """Return the signers named by `--key`, or the user's own.

    Existing keys are read at once, and passphrases asked for. The user's own key, if there is none
    yet, is made only when it signs, so that a run that fails before then changes nothing.
    Raises `UsageError` if a key would have to be made and there is no terminal to say so.
    """
    from wheelferry_bundler import api

    ask = partial(_passphrase_of, file=passphrase_file)
    if paths:
        return tuple(api.open_key(path, passphrase=ask) for path in paths)
    if not api.own_key_path().exists() and not _has_terminal():
        raise UsageError(
            "there is no signing key yet, and no terminal to announce a new one on",
            hint="make one with 'bundle key new', name one with --key, or pass --unsigned",
        )
    return (api.own_key(passphrase=ask, on_made=None if quiet else _tell_made),)


def _tell_made(key: Signer) -> None:
    from wheelferry_bundler import api

    path = api.own_key_path()
    tell(f"made a signing key for you: {path}")
    tell_public_half(key, path)


def _passphrase_of(path: Path, file: Path | None) -> str:
    """Return the passphrase of a key: the first line of `file`, or what the user types."""
    if file is None:
        if not _has_terminal():
            raise UsageError(
                f"{path} has a passphrase, and there is no terminal to ask for it",
                hint="pass --passphrase-file",
            )
        return ask_secret(f"passphrase of {path}")
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the passphrase from {file}: {error}",
            hint="name a file whose first line is the passphrase",
        ) from error


def _has_terminal() -> bool:
    # Without a console, Windows has no standard input.
    return sys.stdin is not None and sys.stdin.isatty()


def tell_public_half(key: Signer, path: Path) -> None:
    """Print a signer's public key, and how an air-gapped host comes to accept it."""
    public = path.with_name(f"{path.name}.pub")
    tell_command("its public key", f"{key.public.line()} {key.name}")
    tell(f"its fingerprint: {key.public.fingerprint}")
    tell("copy the public key to the air-gapped host once, separately from the bundle:")
    tell(f"  file: {public}")
    tell_command("  then", f"bundle trust add {shlex.quote(public.name)}")
