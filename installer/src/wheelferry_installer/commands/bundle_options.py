"""Options and answers that several commands share."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelferry_installer import api
from wheelferry_installer.commands.printing import say, tell, warn
from wheelferry_schemas.errors import WheelferryError

if TYPE_CHECKING:
    from wheelferry_installer.plan.package_changes import PackageChanges
    from wheelferry_installer.verify.policy import Policy, SignatureVerdict
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_installer.wheel.startup import StartupFile

bundle_argument = click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the command line says about whose bundles count."""

    allowed_signers: Path | None
    require_signatures: int | None
    allow_unsigned: bool
    allow_future: bool


signers_option = click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Who may sign, in OpenSSH's format. Default: what 'bundle trust' edits. "
    "/etc/wheelferry/allowed_signers counts besides.",
)
_TRUST_OPTIONS = (
    signers_option,
    click.option(
        "--require-signatures",
        type=click.IntRange(min=1, max=16),
        metavar="N",
        help="How many people have to have signed, each with a key of their own.",
    ),
    click.option(
        "--allow-unsigned",
        is_flag=True,
        help="Accept a bundle that nobody here vouches for. Whoever made it can run anything.",
    ),
    click.option(
        "--allow-future",
        is_flag=True,
        help="Accept a bundle that is dated ahead of this host's clock: only the clock is wrong.",
    ),
)


def gathered(
    name: str, make: Callable[..., object], *options: Callable[[Any], Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds options; the command gets what `make` makes of them as `name`.

    `make` takes the options by their names.
    """
    names = inspect.signature(make).parameters

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_value(*arguments: Any, **given: Any) -> Any:
            value = make(**{one: given.pop(one) for one in names})
            return command(*arguments, **{name: value}, **given)

        for option in reversed(options):
            with_value = option(with_value)
        return with_value

    return decorate


trust_options = gathered("trust", Trust, *_TRUST_OPTIONS)


@contextmanager
def verified(path: Path, trust: Trust) -> Iterator[VerifiedBundle]:
    """Open and verify a bundle, and tell on stderr what is to be known of its signatures."""
    now = int(time.time())
    policy = _policy(path, trust)
    with api.verify(path, policy, now=now, allow_future=trust.allow_future) as bundle:
        if trust.allow_unsigned:
            tell(f"WARNING: {path.name} is taken without anybody vouching for it")
        if now < bundle.manifest.created_at:
            warn(
                f"by this host's clock the bundle comes from the future "
                f"({bundle.manifest.created}): set the clock, or expiry means nothing"
            )
        for signer in bundle.signers:
            if signer.problem is not None and not trust.allow_unsigned:
                warn(f"{signer.member} does not count: {signer.problem}")
        yield bundle


def _policy(path: Path, trust: Trust) -> Policy:
    if trust.allow_unsigned:
        return api.ACCEPT_UNSIGNED
    try:
        return api.load_policy(trust.allowed_signers, require_signatures=trust.require_signatures)
    except WheelferryError:
        # What is wrong with the file itself is said first.
        api.read(path)
        raise


def policy_if_any(explicit: Path | None = None) -> Policy | None:
    """Return this host's policy; without one, every key is unknown, which is then said."""
    try:
        return api.load_policy(explicit)
    except WheelferryError:
        return None


def signers_json(signers: tuple[SignatureVerdict, ...]) -> list[dict[str, str | bool | None]]:
    """Return signatures as JSON."""
    return [
        {
            "name": signer.name,
            "fingerprint": signer.fingerprint,
            "accepted": signer.problem is None,
            "problem": signer.problem,
        }
        for signer in signers
    ]


def say_changes(changes: PackageChanges) -> None:
    """Say which packages come, go, or come as another one, and how many."""
    say(*(change.line for change in changes.changes), changes.tally)


def show_startup(startup: Sequence[StartupFile]) -> None:
    """Name what Python will run without being asked."""
    if startup:
        say("Python will run at every start:")
    for file in startup:
        say(f"  {file.path}, of {file.wheel}")


def startup_json(startup: Sequence[StartupFile]) -> list[dict[str, str]]:
    """Return what Python will run without being asked as JSON."""
    return [{"path": file.path, "wheel": file.wheel} for file in startup]
