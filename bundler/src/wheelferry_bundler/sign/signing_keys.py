"""Signs manifests with an SSH key, as `ssh-keygen -Y sign` would (PROTOCOL.sshsig)."""

from __future__ import annotations

import base64
import getpass
import os
import shlex
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from wheelferry_bundler.sign.ssh_keygen import SshKeygenKey
from wheelferry_schemas.errors import ConflictError, MalformedError, TransferError, UsageError
from wheelferry_schemas.host_rules import user_folders
from wheelferry_schemas.trust import allowed_signers, sshsig
from wheelferry_schemas.trust.ssh_wire import PublicKey, Reader, string

SYSTEM_FOLDER = Path(user_folders.SYSTEM_FOLDER)
KEY_NAME = "signing_key"
_HASH = "sha512"
_OWN_TYPE = "ssh-ed25519"
_PRIVATE_MAGIC = b"openssh-key-v1\0"


class Signer(Protocol):
    """A key that can sign: in memory, or through ssh-keygen."""

    @property
    def public(self) -> PublicKey:
        """The public half."""

    @property
    def name(self) -> str:
        """The key's name."""

    def sign(self, message: bytes, /) -> bytes:
        """Return the armored signature over `message` in the namespace of bundles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key in memory, and its name."""

    private: Ed25519PrivateKey
    name: str

    @property
    def public(self) -> PublicKey:
        """The public half."""
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PublicKey(string(_OWN_TYPE.encode()) + string(raw))

    def sign(self, message: bytes) -> bytes:
        """Return the armored signature over `message` in the namespace of bundles."""
        data = sshsig.signed_data(message, sshsig.NAMESPACE, _HASH)
        blob = string(_OWN_TYPE.encode()) + string(self.private.sign(data))
        return sshsig.encode(
            sshsig.Signature(
                key=self.public, namespace=sshsig.NAMESPACE, hash_name=_HASH, blob=blob
            )
        )


def new_key(path: Path) -> SigningKey:
    """Make a key pair: `path` (mode 0600, OpenSSH's format) and `path`.pub.

    Raises `ConflictError` where one of them exists.
    """
    public = public_path(path)
    if path.exists() or public.exists():
        raise ConflictError(f"{path} exists already", hint="choose another file for the new key")
    key = SigningKey(private=Ed25519PrivateKey.generate(), name=_default_name())
    private = key.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        public.write_text(f"{key.public.line()} {key.name}\n", encoding="utf-8")
    except OSError as error:
        raise TransferError(f"{path} could not be written: {error.strerror}") from error
    return key


def trust_here(folder: Path, key: SigningKey) -> None:
    """Have this host's installer accept the key, by a line in `folder`'s allowed_signers.

    Nothing is written where root has a list of signers: then a key has to be in both lists, and a
    new list would exclude all other keys.
    """
    if (SYSTEM_FOLDER / allowed_signers.FILE_NAME).exists():
        return
    path = folder / allowed_signers.FILE_NAME
    try:
        with path.open("a+", encoding="utf-8") as file:
            file.seek(0)
            before = file.read()
            unfinished = "" if before.endswith("\n") or not before else "\n"
            file.write(unfinished + allowed_signers.entry(key.name, key.public))
        path.chmod(0o600)
    except OSError as error:
        raise TransferError(f"{path} could not be written: {error.strerror}") from error


def open_key(path: Path, ask_passphrase: Callable[[Path], str]) -> Signer:
    """Return the signer for a `--key`; raises `UsageError`.

    An Ed25519 key file signs in this process. A public key file names a key in an agent, which
    signs through ssh-keygen, as do keys of other types and hardware keys.
    """
    public = _public_half(path)
    if public is None or (public[0].type == _OWN_TYPE and path.suffix != ".pub"):
        return load_key(path, ask_passphrase)
    return SshKeygenKey(path=path, public=public[0], name=public[1] or _default_name())


def load_key(path: Path, ask_passphrase: Callable[[Path], str]) -> SigningKey:
    """Read a private key, asking for its passphrase where it has one.

    Raises `UsageError` for what is not an Ed25519 key in OpenSSH's format.
    """
    data = _read_private(path)
    try:
        private = _load(data, path, ask_passphrase)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{path} is not a private key that can sign: {error}",
            hint="make one with: ssh-keygen -t ed25519 -f signing_key",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(
            f"{path} is not an Ed25519 key",
            hint="make one with: ssh-keygen -t ed25519 -f signing_key",
        )
    name = _comment(path) or _own_comment(data) or _default_name()
    return SigningKey(private=private, name=name)


def public_path(path: Path) -> Path:
    """Return the path of a key file's public half."""
    return path.with_name(f"{path.name}.pub")


def _public_half(path: Path) -> tuple[PublicKey, str] | None:
    """Return key and comment of a `.pub` file, or of the one beside a private key."""
    beside = path if path.suffix == ".pub" else public_path(path)
    try:
        return allowed_signers.parse_key_file(beside.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, MalformedError):
        return None


def _read_private(path: Path) -> bytes:
    """Read a private key; like ssh, refuse one that others can read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read()
    except OSError as error:
        raise UsageError(
            f"the signing key {path} cannot be read: {error.strerror}",
            hint="name another one with --key, or omit --key to have one made",
        ) from error
    if os.name == "posix" and mode & 0o077 and b"PRIVATE KEY" in data:
        raise UsageError(
            f"the signing key {path} can be read by others: its mode is {mode & 0o7777:04o}",
            hint=f"run: chmod 600 {shlex.quote(str(path))}; if others may have read it, make a new one",
        )
    return data


def _own_comment(data: bytes) -> str | None:
    """Return the comment in an unencrypted private key (OpenSSH's PROTOCOL.key)."""
    body = b"".join(line for line in data.splitlines() if not line.startswith(b"-----"))
    try:
        reader = Reader(base64.b64decode(body, validate=True))
        if reader.take(len(_PRIVATE_MAGIC)) != _PRIVATE_MAGIC or reader.string() != b"none":
            return None
        # Skip key derivation and its options, the number of keys, the public half.
        for read in (reader.string, reader.string, reader.uint32, reader.string):
            read()
        private = Reader(reader.string())
        private.take(8)
        for _ in ("type", "public", "private"):
            private.string()
        return private.string().decode().strip() or None
    except (MalformedError, ValueError):
        return None


def _load(data: bytes, path: Path, ask_passphrase: Callable[[Path], str]) -> object:
    try:
        return load_ssh_private_key(data, None)
    except TypeError:
        # The library raises this for an encrypted key.
        passphrase = ask_passphrase(path).encode()
    try:
        return load_ssh_private_key(data, passphrase)
    except ValueError as error:
        raise UsageError(f"that is not the passphrase of {path}", hint="try again") from error


def _comment(path: Path) -> str | None:
    try:
        words = public_path(path).read_text(encoding="utf-8").split(None, 2)
    except (OSError, UnicodeDecodeError):
        return None
    return words[2].strip() if len(words) == 3 else None


def _default_name() -> str:
    name = f"{getpass.getuser()}@{socket.gethostname()}"
    return "".join(char if char.isalnum() or char in "._@-" else "-" for char in name)
