"""Hosts whose lists of signers are hostile or broken. The bundle is good."""

from __future__ import annotations

from collections.abc import Mapping

from vectors.good_bundle import BUNDLE, SIGNERS, alice, good_bundle, mallory, trusting
from vectors.vector import Vector

_KEY = alice().public.line()
_UNREADABLE = "cannot be read"
_NOT_UNDERSTOOD = "cannot be understood"


def _lists() -> dict[str, tuple[int, str, bytes]]:
    """Return contents of allowed_signers: exit code and words for each."""
    good = trusting(alice())
    return {
        "empty": (3, "lists no signers", b""),
        "comments-only": (3, "lists no signers", b"# nobody yet\n\n"),
        "others-only": (3, "has no signature from a signer listed in", trusting(mallory())),
        "cert-authority": (
            4,
            "cert-authority is not supported",
            f"a cert-authority {_KEY}\n".encode(),
        ),
        "cert-authority-among-others": (
            4,
            "cert-authority is not supported",
            f'a namespaces="x",CERT-AUTHORITY {_KEY}\n'.encode() + good,
        ),
        "unknown-option": (
            4,
            "unknown option or key type",
            f"alice no-touch-required {_KEY}\n".encode(),
        ),
        "option-twice": (
            4,
            "is given twice",
            f'alice namespaces="git",namespaces="*" {_KEY}\n'.encode(),
        ),
        "option-without-value": (4, "has no value", f"alice valid-after {_KEY}\n".encode()),
        "option-empty": (4, "has no value", f'alice namespaces="" {_KEY}\n'.encode()),
        "option-quote-left-open": (4, "quotation mark", f'alice namespaces="x {_KEY}\n'.encode()),
        "time-not-one": (4, "not a time", f'alice valid-before="soon" {_KEY}\n'.encode()),
        "time-of-february-30": (
            4,
            "not a time",
            f'alice valid-before="20230230" {_KEY}\n'.encode(),
        ),
        "time-in-other-digits": (
            4,
            "not a time",
            f'alice valid-before="\uff12\uff10\uff12\uff13\uff10\uff11\uff10\uff11" {_KEY}\n'.encode(),
        ),
        "key-type-unknown": (4, "unknown option or key type", b"alice ssh-dss AAAA\n"),
        "key-not-base64": (4, "not base64", b"alice ssh-ed25519 ????\n"),
        "key-of-another-type": (
            4,
            "type inside the key",
            _KEY.replace("ssh-ed25519", "alice ssh-rsa", 1).encode(),
        ),
        "key-cut": (4, "past its end", b"alice ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n"),
        "key-missing": (4, "does not hold a name", b"alice ssh-ed25519\n"),
        "name-missing": (4, "does not hold a name", f"{_KEY}\n".encode()),
        "not-utf8": (4, "is not a text file", b"\xff" + good),
        "utf-16": (4, "is not a text file", good.decode().encode("utf-16")),
        "nul": (4, "control character", b"\0" + good),
        "noise": (4, "control character", bytes(range(1, 128)) * 10 + b"\n" + good),
        "escape": (4, "control character", b"alice \x1b[2J\n" + good),
        "long-line": (4, _UNREADABLE, b"a" * 2**20 + b"\n" + good),
        "many-options": (
            4,
            "is given twice",
            b"alice " + b'namespaces="x",' * 2**16 + b" x y\n" + good,
        ),
        "many-quotes": (4, "quotation mark", b'"' * (2**17 + 1) + b"\n" + good),
    }


_NUMBERS = "it must be a number from 1 to 16"
_NAMES = "it must list names of bundles"
_SETTINGS: dict[str, tuple[int, str, bytes]] = {
    "require-none": (4, f"is '0'; {_NUMBERS}", b"[policy]\nrequire-signatures = 0\n"),
    "require-99": (4, f"is '99'; {_NUMBERS}", b"[policy]\nrequire-signatures = 99\n"),
    "require-words": (4, f"is 'two'; {_NUMBERS}", b"[policy]\nrequire-signatures = two\n"),
    "require-interpolated": (4, _NUMBERS, b"[policy]\nrequire-signatures = %(x)s\n"),
    "require-other-digits": (4, _NUMBERS, "[policy]\nrequire-signatures = \u0662\n".encode()),
    "names-empty": (4, _NAMES, b"[policy]\nnames =\n"),
    "names-path": (4, _NAMES, b"[policy]\nnames = app, ../app\n"),
    "names-other": (3, "accepts no bundle named", b"[policy]\nnames = app, tools-*\n"),
    "misspelled": (4, "has unknown settings", b"[policy]\nrequire_signatures = 2\n"),
    "default-section": (4, "has unknown settings", b"[DEFAULT]\nrequire-signatures = 2\n"),
    "no-section": (4, _NOT_UNDERSTOOD, b"require-signatures = 2\n"),
    "twice": (4, _NOT_UNDERSTOOD, b"[policy]\nrequire-signatures = 2\nrequire-signatures = 1\n"),
    "not-utf8": (4, "is not a text file", b"\xff"),
    "empty": (4, "has no settings", b""),
}
_REVOKED: dict[str, tuple[int, str, bytes]] = {
    "noise": (4, "revoked_keys: not a public key", b"noise\n"),
    "not-utf8": (4, "is not a text file", b"\xff"),
    "key-cut": (4, "revoked_keys: a length in it", b"ssh-ed25519 AAAA\n"),
}


def policy_vectors() -> list[Vector]:
    """Return the vectors of this module."""
    good = trusting(alice())

    def host(**files: bytes) -> Mapping[str, bytes]:
        return {BUNDLE: good_bundle(), **files}

    return [
        Vector(
            name="signers-missing",
            code=3,
            words="no trusted signers",
            files=host,
        ),
        *(
            Vector(
                name=f"signers-{name}",
                code=code,
                words=words,
                files=lambda data=data: host(**{SIGNERS: data}),  # type: ignore[misc]
            )
            for name, (code, words, data) in _lists().items()
        ),
        *(
            Vector(
                name=f"{family}-{name}",
                code=code,
                words=words,
                files=lambda file=file, data=data: host(**{SIGNERS: good, file: data}),  # type: ignore[misc]
            )
            for family, file, contents in (
                ("settings", "policy.ini", _SETTINGS),
                ("revoked", "revoked_keys", _REVOKED),
            )
            for name, (code, words, data) in contents.items()
        ),
    ]
