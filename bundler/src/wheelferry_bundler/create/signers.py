"""Who signs a bundle: keys, or explicitly nobody."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.sign.signing_keys import Signer


class Unsigned(enum.Enum):
    """The type of `UNSIGNED`."""

    UNSIGNED = "unsigned"


UNSIGNED = Unsigned.UNSIGNED
"""Passed to `create` for a bundle without signatures, which hosts refuse by default."""
Signers: TypeAlias = "Sequence[Signer] | Literal[Unsigned.UNSIGNED]"


def some_keys(signers: Sequence[Signer]) -> tuple[Signer, ...]:
    """Return the keys to sign with; raises `UsageError` for none."""
    if not signers:
        raise UsageError("there is no key to sign with", hint="pass own_key(), or UNSIGNED")
    return tuple(signers)


def no_passphrase(path: Path) -> str:
    """Raise the `UsageError` for a key with a passphrase that cannot be asked for."""
    raise UsageError(f"{path} has a passphrase", hint="pass a function that returns it")
