"""`bundle trust`: who may sign bundles for this host."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

import click

from wheelferry_installer.commands.options import json_option
from wheelferry_installer.commands.printing import confirmed, say, say_json, tell
from wheelferry_schemas.errors import ConflictError, TransferError, UsageError


@click.group()
def trust() -> None:
    """Say who may sign bundles for this host.

    The list is a file in OpenSSH's format for allowed signers; 'bundle trust list' tells where it
    is. A bundle never brings its own trust: get public keys on another way, and compare
    fingerprints with the person.
    """


@trust.command()
@click.argument("key_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="Who it is. Default: the comment in the key file.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def add(key_file: Path, name: str | None, yes: bool) -> None:
    """Accept bundles that the public key in KEY_FILE signed."""
    from wheelferry_installer.policy import read_signers, user_file
    from wheelferry_schemas import allowed_signers

    try:
        key, comment = allowed_signers.parse_key_file(key_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TransferError(f"{key_file} cannot be read: {error}") from error
    name = name or comment or None
    if name is None:
        raise UsageError(f"{key_file} does not say whose key it is", hint="pass --name alice")
    line = allowed_signers.entry(name, key)
    path = user_file()
    known = read_signers(path) if path.is_file() else ()
    if any(signer.key == key for signer in known):
        say(f"{name} {key.fingerprint} is trusted already")
        return
    if any(signer.principals == name for signer in known):
        raise ConflictError(
            f"{path} has another key of {name}",
            hint=f"first: bundle trust remove {shlex.quote(name)}; or tell them apart with --name",
        )
    tell(f"{name} {key.fingerprint}")
    if not yes and not confirmed("Did this person confirm that fingerprint? Trust it from now on?"):
        raise click.Abort
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    separator = "" if not text or text.endswith("\n") else "\n"
    _write(path, f"{text}{separator}{line}")
    say(f"{name} may sign bundles for this host from now on")


@trust.command(name="list")
@json_option
def list_signers(as_json: bool) -> None:
    """List who may sign, and which file says so."""
    from wheelferry_installer.policy import load_policy

    policy = load_policy(None)
    if as_json:
        signers = [
            {
                "name": signer.principals,
                "type": signer.key.type,
                "fingerprint": signer.key.fingerprint,
            }
            for signer in policy.signers
        ]
        say_json({"file": os.fspath(policy.path), "signers": signers})
        return
    tell(f"{policy.path}:")
    for signer in policy.signers:
        say(f"{signer.principals} {signer.key.fingerprint} ({signer.key.type})")


@trust.command()
@click.argument("who")
def remove(who: str) -> None:
    """No longer accept bundles of WHO: a name or a fingerprint, as 'bundle trust list' shows."""
    from wheelferry_installer.policy import read_signers, user_file
    from wheelferry_schemas import allowed_signers

    path = user_file()
    known = read_signers(path) if path.is_file() else ()
    gone = [s for s in known if who in (s.principals, s.key.fingerprint)]
    if not gone:
        raise UsageError(f"{path} does not list {who!r}", hint="see: bundle trust list")
    text = path.read_text(encoding="utf-8")
    _write(path, allowed_signers.without(text, [signer.key for signer in gone]))
    for signer in gone:
        say(f"{signer.principals} {signer.key.fingerprint} is no longer trusted")


def _write(path: Path, text: str) -> None:
    """Replace the list as a whole: a list cut short would trust too few, or nobody."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
