"""The user's own signing key: where it lies, and that it is made when it is first needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from wheelferry_bundler.sign import signing_keys
from wheelferry_bundler.sign.signing_keys import Signer, SigningKey
from wheelferry_schemas.host_rules import user_folders
from wheelferry_schemas.trust.ssh_wire import PublicKey


def own_key_path() -> Path:
    """Return where the user's own signing key lies, or will lie once it is made."""
    folder = user_folders.config_folder(os.environ, sys.platform, os.path.expanduser("~"))
    return Path(folder) / signing_keys.KEY_NAME


def make_own_key() -> SigningKey:
    """Make the user's own key, and have this host's installer trust it.

    Raises `ConflictError` where there is one.
    """
    path = own_key_path()
    key = signing_keys.new_key(path)
    signing_keys.trust_here(path.parent, key)
    return key


class KeyToMake:
    """A signer whose key does not exist yet: it is made when its public half or a signature is needed.

    A run that fails before that has changed nothing. `on_made` is called once, with the new key.
    """

    def __init__(self, on_made: Callable[[Signer], None] | None = None) -> None:
        self._on_made = on_made

    @cached_property
    def _key(self) -> SigningKey:
        key = make_own_key()
        if self._on_made is not None:
            self._on_made(key)
        return key

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._key.public

    @property
    def name(self) -> str:
        """The name that it goes by."""
        return self._key.name

    def sign(self, message: bytes) -> bytes:
        """Return the armored signature over `message` in the namespace of bundles."""
        return self._key.sign(message)
