"""The allowed_signers file: who may sign (ssh-keygen(1), ALLOWED SIGNERS).

A line reads `principals [options] keytype base64 [comment]`. `namespaces=`, `valid-after=` and
`valid-before=` are honoured; `cert-authority` lines are refused, since wheelferry knows no
certificates and ignoring the line would hide that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache, reduce
from operator import or_

from wheelferry_schemas.errors import MalformedError, UsageError
from wheelferry_schemas.trust.ssh_wire import KEY_TYPES, PublicKey, parse_public_key
from wheelferry_schemas.trust.sshsig import NAMESPACE

FILE_NAME = "allowed_signers"
_OPTION = re.compile(r'(?P<name>[A-Za-z-]+)(="(?P<value>[^"]*)")?(,|$)')
_WORD = r'((?:"[^"]*"|[^\s"])+)'
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""OpenSSH reads a line with such characters differently than we would."""
_TIMES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedSigner:
    """One line: who owns a key, and for what and when its signatures count.

    Times are seconds since the epoch, `namespaces` are patterns; None means no limit.
    """

    principals: str
    key: PublicKey
    namespaces: tuple[str, ...] | None = None
    valid_after: int | None = None
    valid_before: int | None = None

    def refusal(self, namespace: str, now: int) -> str | None:
        """Return why a signature by this key is not accepted now, None if it is."""
        if self.namespaces is not None and not _allows(self.namespaces, namespace):
            return f"the key of {self.principals} is not allowed for {namespace}"
        if self.valid_after is not None and now < self.valid_after:
            return f"the key of {self.principals} is not valid yet"
        if self.valid_before is not None and now > self.valid_before:
            return f"the key of {self.principals} is no longer valid"
        return None


def entry(name: str, key: PublicKey) -> str:
    """Return the line that lets `name` sign bundles with `key`.

    Raises `UsageError` if the name would not be read back as one principal.
    """
    if not re.fullmatch(r"[A-Za-z0-9._%+@-]{1,200}", name):
        raise UsageError(
            f"{name!r} cannot name a signer",
            hint="use letters, digits and . _ % + @ - as in alice@example",
        )
    return f'{name} namespaces="{NAMESPACE}" {key.line()}\n'


def parse(text: str) -> tuple[AllowedSigner, ...]:
    """Read a whole file; raises a `MalformedError` that names every bad line."""
    signers: list[AllowedSigner] = []
    problems: list[str] = []
    for number, line in enumerate(_lines(text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            signers.append(_parse_line(line))
        except MalformedError as error:
            problems.append(f"line {number}: {error.message}")
    if problems:
        raise MalformedError(
            "the list of allowed signers cannot be read",
            details=problems,
            hint="each line is: name [options] keytype key; see ssh-keygen(1), ALLOWED SIGNERS",
        )
    return tuple(signers)


def people(signers: Iterable[AllowedSigner], keys: Collection[PublicKey]) -> int:
    """Return the smallest number of people who can sign with all of these keys.

    Each principal of a line may use its key, so two keys of one principal are one person, and one
    key under two names is one person. Keys without a line do not count.
    """
    bits = {key: 1 << number for number, key in enumerate(dict.fromkeys(keys))}
    lines = [(s.principals.split(","), s.key) for s in signers if s.key in bits]
    held = {
        sum({bits[key] for patterns, key in lines if _allows(patterns, name)})
        for names, _ in lines
        for name in names
    }

    @cache
    def needed(left: int) -> int:
        if not left:
            return 0
        lowest = left & -left
        return 1 + min(needed(left & ~mask) for mask in held if mask & lowest)

    return needed(reduce(or_, held, 0))


def parse_key_file(text: str) -> tuple[PublicKey, str]:
    """Read the one line of a `.pub` file: the key and its comment, which may be empty."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split(None, 2) if lines else []
    if len(lines) != 1 or len(words) < 2:
        raise MalformedError(
            "not a public key",
            hint="a public key is one line such as: ssh-ed25519 AAAAC3Nz… alice",
        )
    return parse_public_key(words[0], words[1]), words[2].strip() if len(words) > 2 else ""


def without(text: str, keys: Iterable[PublicKey]) -> str:
    """Return the file's text without the lines of these keys, otherwise unchanged."""
    gone = set(keys)
    kept = []
    for line in _lines(text):
        if line.strip() and not line.lstrip().startswith("#") and _parse_line(line).key in gone:
            continue
        kept.append(line)
    return "".join(kept)


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; only a line feed ends a line, as in OpenSSH."""
    return re.split(r"(?<=\n)", text)


def _allows(patterns: Sequence[str], name: str) -> bool:
    """Match as OpenSSH does: `*` and `?` are wildcards, `!` negates."""
    matching = [
        pattern
        for pattern in patterns
        if fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]"))
    ]
    return bool(matching) and not any(pattern.startswith("!") for pattern in matching)


def _parse_line(line: str) -> AllowedSigner:
    if _CONTROL.search(line):
        raise MalformedError("there is a control character in it")
    words = _first_words(line, 3)
    options: dict[str, str | None] = {}
    if words[1] not in KEY_TYPES:
        options = _parse_options(words[1])
        words = _first_words(line, 4)
        del words[1]
    if "cert-authority" in options:
        raise MalformedError("cert-authority is not supported: list the keys themselves")
    principals = words[0].strip('"')
    namespaces = options.get("namespaces")
    return AllowedSigner(
        principals=principals,
        key=parse_public_key(words[1], words[2]),
        namespaces=None if namespaces is None else tuple(namespaces.split(",")),
        valid_after=_parse_time(options.get("valid-after")),
        valid_before=_parse_time(options.get("valid-before")),
    )


def _first_words(line: str, number: int) -> list[str]:
    """Return the first words of a line; anything may follow them."""
    words = r"\s+".join([_WORD] * number)
    match = re.match(rf"\s*{words}(\s|$)", line, re.ASCII)
    if match is None:
        open_quote = line.count('"') % 2 == 1
        raise MalformedError(
            "a quotation mark is left open"
            if open_quote
            else "it does not hold a name, a key type and a key"
        )
    return list(match.groups()[:number])


def _parse_options(text: str) -> dict[str, str | None]:
    options: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        match = _OPTION.match(text, at)
        name = match["name"].lower() if match else ""
        needs_value = name in ("namespaces", "valid-after", "valid-before")
        if match is None or not (needs_value or name == "cert-authority"):
            raise MalformedError(f"unknown option or key type {text[at:]!r}")
        if needs_value and not match["value"]:
            raise MalformedError(f"option {name} has no value")
        if name in options:
            raise MalformedError(f"option {name} is given twice")
        options[name] = match["value"]
        at = match.end()
    return options


def _parse_time(text: str | None) -> int | None:
    """Read YYYYMMDD[HHMM[SS]], in UTC with a final Z, otherwise in this host's local time."""
    if text is None:
        return None
    digits = text.removesuffix("Z")
    form = _TIMES.get(len(digits))
    if form is None or not digits.isascii() or not digits.isdigit():
        raise MalformedError(f"not a time: {text!r}")
    try:
        moment = datetime.strptime(f"{digits}+0000", f"{form}%z")
        return int((moment if text.endswith("Z") else moment.replace(tzinfo=None)).timestamp())
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"not a time: {text!r}") from error
