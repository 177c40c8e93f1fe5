"""The user's own signing key: its path, and making it on first use."""

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
    """Return the path of the user's own signing key, which need not exist."""
    folder = user_folders.config_folder(os.environ, sys.platform, os.path.expanduser("~"))
    return Path(folder) / signing_keys.KEY_NAME


def make_own_key() -> SigningKey:
    """Make the user's own key, and make this host's installer trust it.

    Raises `ConflictError` if it exists.
    """
    path = own_key_path()
    key = signing_keys.new_key(path)
    signing_keys.trust_here(path.parent, key)
    return key


class KeyToMake:
    """A signer whose key is made when its public half or a signature is first needed.

    A run that fails before then changes nothing. `on_made` is called once, with the new key.
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
