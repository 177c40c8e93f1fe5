"""Decides which bundles this host accepts: whose signatures count, how many, and which names.

A policy is a folder with `allowed_signers` (OpenSSH's format) and, optionally, `revoked_keys`
(public keys, one a line) and `policy.ini` (`[policy]`, `require-signatures = 2`, `names = app,
tools-*`). The user's policy, that of `--allowed-signers` and `/etc/wheelferry` all apply. The last
is a floor: a key counts only if every existing list has it, a key revoked anywhere is revoked, the
highest number of signatures counts, and every list of names.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from wheelferry_installer.system.config_folder import config_folder
from wheelferry_installer.verify.policy_files import is_there, read_text
from wheelferry_schemas.errors import MalformedError, TrustError
from wheelferry_schemas.host_rules import user_folders
from wheelferry_schemas.trust import allowed_signers
from wheelferry_schemas.trust.allowed_signers import AllowedSigner
from wheelferry_schemas.trust.ssh_wire import PublicKey

SYSTEM_FOLDER = Path(user_folders.SYSTEM_FOLDER)
REVOKED_KEYS = "revoked_keys"
SETTINGS = "policy.ini"
MAX_REQUIRED = 16
UNKNOWN_KEY = "this host does not know the key"
_ADVICE = "ask whoever made the bundle for their public key, then: bundle trust add alice.pub"
_SETTINGS_ADVICE = (
    "below the line [policy] it has require-signatures = 2, names = app, tools-*, or both"
)
_SECTION = "policy"
_OPTIONS = ("require-signatures", "names")
_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]!-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerList:
    """A file of allowed signers."""

    path: Path
    signers: tuple[AllowedSigner, ...]

    def refusal(self, key: PublicKey, namespace: str, now: int) -> tuple[str | None, str | None]:
        """Return the key's owner, and why the key is not accepted at `now`; None if it is."""
        known = [signer for signer in self.signers if signer.key == key]
        if not known:
            return None, UNKNOWN_KEY
        refusals = [signer.refusal(namespace, now) for signer in known]
        if None in refusals:
            return known[refusals.index(None)].principals, None
        return known[0].principals, refusals[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedKey:
    """A revoked key, and the file that revokes it."""

    path: Path
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one `policy.ini`. Without `names`, which are patterns, all are accepted."""

    path: Path
    required: int = 1
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureVerdict:
    """The judgement on one signature.

    `key` is None if the signature cannot be read. `name` is the owner of the key as far as this
    host knows. `problem` is why the signature does not count, None if it does.
    """

    member: str
    key: PublicKey | None
    name: str | None
    problem: str | None

    @property
    def fingerprint(self) -> str | None:
        """The key's fingerprint."""
        return None if self.key is None else self.key.fingerprint

    @property
    def line(self) -> str:
        """The verdict in one line."""
        told = self.problem or f"accepted, of {self.name}"
        return f"{self.member}: {self.fingerprint or 'no key'}: {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What this host accepts, and the files that define it.

    A key must be in each of the `lists`. `asked` is the number of `--require-signatures`. A
    `lenient` policy requires no signature.
    """

    lists: tuple[SignerList, ...]
    revoked: tuple[RevokedKey, ...] = ()
    settings: tuple[Settings, ...] = ()
    asked: int = 1
    lenient: bool = False

    @property
    def required(self) -> int:
        """The number of people who must sign."""
        return max(self.asked, *(settings.required for settings in self.settings), 1)

    def refusal(self, key: PublicKey, namespace: str, now: int) -> tuple[str | None, str | None]:
        """Return the key's owner, and why the key is not accepted at `now`; None if it is."""
        if not self.lists:
            return None, UNKNOWN_KEY
        answers = [listed.refusal(key, namespace, now) for listed in self.lists]
        name = next((name for name, _ in answers if name is not None), None)
        if any(revoked.key == key for revoked in self.revoked):
            return name, "the key is revoked"
        for listed, (_, problem) in zip(self.lists, answers, strict=True):
            if problem == UNKNOWN_KEY and name is not None:
                return name, f"{listed.path} does not list the key"
            if problem is not None:
                return name, problem
        return name, None

    def people(self, keys: frozenset[PublicKey]) -> int:
        """Return the smallest number of people, by any of the lists, to whom these keys belong."""
        return min((allowed_signers.people(one.signers, keys) for one in self.lists), default=0)

    def demand(self, bundle: str, verdicts: Sequence[SignatureVerdict]) -> None:
        """Raise `TrustError` unless enough people signed the bundle; `bundle` is its file name."""
        if self.lenient:
            return
        accepted = frozenset(one.key for one in verdicts if one.problem is None and one.key)
        people = self.people(accepted)
        if people >= self.required:
            return
        if not verdicts:
            raise TrustError(
                f"{bundle} is not signed",
                hint="ask whoever made it to sign it, or accept it unsigned with --allow-unsigned",
            )
        unknown = next((one for one in verdicts if one.problem == UNKNOWN_KEY), None)
        hint = "ask whoever made the bundle to have it signed with a key that this host accepts"
        if accepted:
            hint = f"another person that this host trusts must sign it too: bundle sign {bundle}"
        if unknown is not None:
            hint = (
                f"if a person you trust confirms the fingerprint {unknown.fingerprint}, get their "
                "public key from them, then: bundle trust add alice.pub"
            )
        lists = " and ".join(str(listed.path) for listed in self.lists)
        what = f"{bundle} has no signature from a signer listed in {lists}"
        if self.required > 1:
            by = "1 person" if people == 1 else f"{people} people"
            what = f"{bundle} is signed by {by}, this host asks for {self.required}"
        raise TrustError(what, details=[verdict.line for verdict in verdicts], hint=hint)

    def refusal_of_name(self, name: str) -> str | None:
        """Return which file excludes bundles of a name, and what it allows; None if none does."""
        for settings in self.settings:
            if settings.names and not any(fnmatchcase(name, p) for p in settings.names):
                return f"{settings.path} allows {', '.join(settings.names)}"
        return None


ACCEPT_UNSIGNED = Policy(lists=(), lenient=True)
"""Accepts every bundle, signed or not: its creator can run any code on this host."""


def user_file() -> Path:
    """Return this user's own list, which `bundle trust` edits."""
    return config_folder() / allowed_signers.FILE_NAME


def system_file() -> Path:
    """Return the list that root keeps for all users."""
    return SYSTEM_FOLDER / allowed_signers.FILE_NAME


def load_policy(explicit: Path | None, required: int | None = None) -> Policy:
    """Read the list that `--allowed-signers` names, else the user's, and the system's.

    `required` is the user's `--require-signatures`, which can raise the number of `policy.ini` but
    not lower it. Raises `TrustError` if there is no list, if one is empty, or if a file is not
    trustworthy; `MalformedError` if one cannot be parsed.
    """
    own = explicit or user_file()
    lists = [_read_list(own), _read_list(system_file())]
    there = tuple(listed for listed in lists if listed is not None)
    if not there or (explicit and lists[0] is None):
        missing = f"{own} does not exist"
        if not explicit:
            missing = f"neither {own} nor {system_file()} exists"
        raise TrustError(f"no trusted signers: {missing}", hint=_ADVICE)
    settings = (_read_settings(folder / SETTINGS) for folder in _folders(own.parent))
    return Policy(
        lists=there,
        revoked=read_revoked(own.parent),
        settings=tuple(one for one in settings if one is not None),
        asked=required or 1,
    )


def refuse_below_floor() -> None:
    """Raise `TrustError` if the system has a policy, which no option overrides."""
    for name in (allowed_signers.FILE_NAME, REVOKED_KEYS, SETTINGS):
        if is_there(SYSTEM_FOLDER / name):
            raise TrustError(
                f"--allow-unsigned is refused: {SYSTEM_FOLDER / name} is a policy for all users of "
                "this host",
                hint="have the bundle signed by someone it lists: bundle trust list",
            )


def read_signers(path: Path) -> tuple[AllowedSigner, ...]:
    """Read an allowed_signers file, which may be absent; raises as `load_policy`."""
    try:
        return allowed_signers.parse(read_text(path) or "")
    except MalformedError as error:
        about = "" if error.message.startswith(str(path)) else f"{path}: "
        raise MalformedError(
            f"{about}{error.message}", hint=error.hint, details=error.details
        ) from error


def read_revoked(*more: Path) -> tuple[RevokedKey, ...]:
    """Read the revoked keys of this user, of the system and of `more` folders."""
    return tuple(key for folder in _folders(*more) for key in _read_revoked(folder / REVOKED_KEYS))


def _folders(*more: Path) -> list[Path]:
    return list(dict.fromkeys((config_folder(), SYSTEM_FOLDER, *more)))


def _read_list(path: Path) -> SignerList | None:
    if not is_there(path):
        return None
    signers = read_signers(path)
    if not signers:
        raise TrustError(f"{path} lists no signers", hint=_ADVICE)
    return SignerList(path=path, signers=signers)


def _read_revoked(path: Path) -> list[RevokedKey]:
    try:
        return [
            RevokedKey(path=path, key=allowed_signers.parse_key_file(line)[0])
            for line in (read_text(path) or "").splitlines()
            if line.strip() and not line.startswith("#")
        ]
    except MalformedError as error:
        raise MalformedError(
            f"{path}: {error.message}", hint="list one public key per line"
        ) from error


def _read_settings(path: Path) -> Settings | None:
    text = read_text(path)
    if text is None:
        return None
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string(text)
    except configparser.Error as error:
        raise MalformedError(
            f"{path} cannot be understood: {' '.join(error.message.split())}", hint=_SETTINGS_ADVICE
        ) from error
    found = {(section, o): config[section][o] for section in config for o in config[section]}
    unknown = sorted(found.keys() - {(_SECTION, option) for option in _OPTIONS})
    if unknown:
        names = ", ".join(f"[{section}] {option}" for section, option in unknown)
        raise MalformedError(f"{path} has unknown settings: {names}", hint=_SETTINGS_ADVICE)
    if not found:
        raise MalformedError(f"{path} has no settings", hint=_SETTINGS_ADVICE)
    number, patterns = (found.get((_SECTION, option)) for option in _OPTIONS)
    return Settings(
        path=path,
        required=1 if number is None else _number(path, number),
        names=() if patterns is None else _patterns(path, patterns),
    )


def _number(path: Path, text: str) -> int:
    allowed = {str(number): number for number in range(1, MAX_REQUIRED + 1)}
    if text not in allowed:
        raise MalformedError(
            f"{path}: require-signatures is {text!r}; it must be a number from 1 to {MAX_REQUIRED}",
            hint=_SETTINGS_ADVICE,
        )
    return allowed[text]


def _patterns(path: Path, text: str) -> tuple[str, ...]:
    patterns = tuple(text.replace(",", " ").split())
    if not patterns or not all(map(_PATTERN.fullmatch, patterns)):
        raise MalformedError(
            f"{path}: names is {text!r}; it must list names of bundles, with * and ? as wildcards",
            hint=_SETTINGS_ADVICE,
        )
    return patterns
