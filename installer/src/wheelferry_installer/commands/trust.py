"""`bundle trust`: who may sign bundles for this host."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.bundle_options import json_option
from wheelferry_installer.commands.printing import confirmed, say, say_json, tell
from wheelferry_schemas.errors import ConflictError, TransferError, TrustError, UsageError

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
    from wheelferry_installer.verify.policy import read_signers, system_file, user_file
    from wheelferry_installer.verify.policy_files import read_text
    from wheelferry_schemas.trust import allowed_signers

    try:
        key, comment = allowed_signers.parse_key_file(key_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TransferError(
            f"{key_file} cannot be read: {error}", hint="name the public key: alice.pub"
        ) from error
    name = name or comment or None
    if name is None:
        raise UsageError(f"{key_file} does not say whose key it is", hint="pass --name alice")
    line = allowed_signers.entry(name, key)
    path = system_file() if system else user_file()
    known, floor = read_signers(path), read_signers(system_file())
    _refuse_revoked(name, key)
    if floor and not system and all(signer.key != key for signer in floor):
        raise TrustError(
            f"the key of {name} would not count: {system_file()} says who may sign for all users "
            "of this host, and does not list it",
            hint=f"as root: bundle trust add --system {shlex.quote(os.fspath(key_file))}",
        )
    if any(signer.key == key for signer in (*known, *floor)):
        say(f"{name} {key.fingerprint} is trusted already")
        return
    if any(signer.principals == name for signer in known):
        raise ConflictError(
            f"{path} has another key of {name}",
            hint=f"first: bundle trust remove {'--system ' if system else ''}{shlex.quote(name)}; "
            "or tell them apart with --name",
        )
    tell(f"{name} {key.fingerprint}")
    if not yes:
        _ask(key, key_file)
    text = read_text(path) or ""
    separator = "" if not text or text.endswith("\n") else "\n"
    _write(path, f"{text}{separator}{line}", for_all=system)
    say(f"{name} may sign bundles for this host from now on")


def _refuse_revoked(name: str, key: PublicKey) -> None:
    from wheelferry_installer.verify.policy import read_revoked

    for revoked in read_revoked():
        if revoked.key == key:
            raise TrustError(
                f"the key of {name} is revoked: {revoked.path} lists it",
                hint="ask for the public half of the new key",
            )


def _ask(key: PublicKey, key_file: Path) -> None:
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
        hint=f"if the owner confirmed {key.fingerprint}: bundle trust add --yes "
        f"{shlex.quote(os.fspath(key_file))}",
    )


@trust.command(name="list")
@json_option
def list_signers(as_json: bool) -> None:
    """List who may sign, how many have to, which bundles are taken, and which files say so."""
    from wheelferry_installer.verify.policy import load_policy

    policy, now = load_policy(None), int(time.time())
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
    from wheelferry_installer.verify.policy import read_signers, system_file, user_file
    from wheelferry_installer.verify.policy_files import read_text
    from wheelferry_schemas.trust import allowed_signers

    path = system_file() if system else user_file()
    gone = [s for s in read_signers(path) if who in (s.principals, s.key.fingerprint)]
    if not gone:
        everywhere = [
            s for s in read_signers(system_file()) if who in (s.principals, s.key.fingerprint)
        ]
        hint = "see: bundle trust list"
        if everywhere:
            hint = f"{system_file()} does; as root: bundle trust remove --system {shlex.quote(who)}"
        raise UsageError(f"{path} does not list {who!r}", hint=hint)
    text = read_text(path) or ""
    _write(path, allowed_signers.without(text, [s.key for s in gone]), for_all=system)
    for signer in gone:
        say(f"{signer.principals} {signer.key.fingerprint} is no longer trusted")


def _write(path: Path, text: str, *, for_all: bool) -> None:
    """Replace the list as a whole: a list cut short would trust too few, or nobody."""
    path = Path(os.path.realpath(path))
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o755 if for_all else 0o700)
            path.parent.chmod(0o755 if for_all else 0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(name, 0o644 if for_all else 0o600)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise TransferError(
            f"{path} could not be written: {error.strerror}",
            hint="run it as root" if for_all else "is the folder yours, and the disk not full?",
        ) from error
