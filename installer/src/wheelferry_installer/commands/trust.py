"""`bundle trust`: who may sign bundles for this host."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import json_option
from wheelferry_installer.commands.printing import confirmed, say, say_json, tell
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_installer.verify.policy import Policy
    from wheelferry_schemas.trust.ssh_wire import PublicKey

_system_option = click.option(
    "--system", is_flag=True, help="Change the list in /etc/wheelferry, which holds for all users."
)


@click.group()
def trust() -> None:
    """Say who may sign bundles for this host.

    The list is a file in OpenSSH's format for allowed signers; 'bundle trust list' tells where it
    is. A bundle never brings its own trust: get public keys out-of-band, and confirm fingerprints
    with their owners.
    """


@trust.command()
@click.argument("key_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="Who it is. Default: the comment in the key file.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_system_option
def add(key_file: Path, name: str | None, yes: bool, system: bool) -> None:
    """Accept bundles that the public key in KEY_FILE signed."""
    signer = api.read_key(key_file, name=name, system=system)
    if signer.is_listed:
        say(f"{signer.name} {signer.fingerprint} is trusted already")
        return
    tell(f"{signer.name} {signer.fingerprint}")
    if not yes:
        _ask(signer.fingerprint, key_file)
    # Of the very key that was confirmed: the file may be another one by now.
    api.trust_key(key_file, name=name, system=system, fingerprint=signer.fingerprint)
    say(f"{signer.name} may sign bundles for this host from now on")


def _ask(fingerprint: str, key_file: Path) -> None:
    """Ask whether the fingerprint is the right one; the answer may come through a pipe."""
    agreed = None
    try:
        # A closed standard input is None.
        if sys.stdin is not None:
            agreed = confirmed("Did this person confirm that fingerprint? Trust it from now on?")
    except click.Abort as abort:
        if sys.stdin.isatty() or not isinstance(abort.__context__, EOFError):
            raise
    if agreed:
        return
    if agreed is not None:
        raise click.Abort
    raise UsageError(
        "without a terminal nobody can be asked whether the fingerprint is the right one",
        hint=f"if the owner confirmed {fingerprint}: bundle trust add --yes "
        f"{shlex.quote(os.fspath(key_file))}",
    )


@trust.command(name="list")
@json_option
def list_signers(as_json: bool) -> None:
    """List who may sign, how many have to, which bundles are taken, and which files say so."""
    policy, now = api.load_policy(), int(time.time())
    if as_json:
        say_json(_as_json(policy, now))
        return
    for listed in policy.lists:
        tell(f"{listed.path}:")
        for signer in listed.signers:
            problem = _problem(policy, signer.key, now)
            told = f" DOES NOT COUNT: {problem}" if problem else ""
            say(f"{signer.principals} {signer.key.fingerprint} ({signer.key.type}){told}")
    for revoked in policy.revoked:
        say(f"revoked by {revoked.path}: {revoked.key.fingerprint}")
    for settings in policy.settings:
        if settings.required > 1:
            say(f"{settings.path}: {settings.required} people have to sign")
        if settings.names:
            say(f"{settings.path}: only bundles named {', '.join(settings.names)}")


def _as_json(policy: Policy, now: int) -> dict[str, object]:
    return {
        "signers": [
            {
                "name": signer.principals,
                "type": signer.key.type,
                "fingerprint": signer.key.fingerprint,
                "file": os.fspath(listed.path),
                "problem": _problem(policy, signer.key, now),
            }
            for listed in policy.lists
            for signer in listed.signers
        ],
        "revoked": [
            {"fingerprint": revoked.key.fingerprint, "file": os.fspath(revoked.path)}
            for revoked in policy.revoked
        ],
        "require_signatures": policy.required,
        "settings": [
            {
                "file": os.fspath(settings.path),
                "require_signatures": settings.required,
                "names": list(settings.names),
            }
            for settings in policy.settings
        ],
    }


def _problem(policy: Policy, key: PublicKey, now: int) -> str | None:
    from wheelferry_schemas.trust.sshsig import NAMESPACE

    return policy.refusal(key, NAMESPACE, now)[1]


@trust.command()
@click.argument("who")
@_system_option
def remove(who: str, system: bool) -> None:
    """No longer accept bundles of WHO: a name or a fingerprint, as 'bundle trust list' shows."""
    for signer in api.distrust(who, system=system):
        say(f"{signer.name} {signer.fingerprint} is no longer trusted")
