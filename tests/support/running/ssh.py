"""The host's own OpenSSH, as the judge of what we write and read."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_schemas.trust import allowed_signers
from wheelferry_schemas.trust.ssh_wire import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSshKey:
    """A key pair that ssh-keygen made."""

    path: Path

    @property
    def public_text(self) -> str:
        return self.path.with_name(f"{self.path.name}.pub").read_text(encoding="utf-8")

    @property
    def public(self) -> PublicKey:
        return allowed_signers.parse_key_file(self.public_text)[0]

    def sign(self, message: bytes, namespace: str) -> bytes:
        """Return the armored signature that `ssh-keygen -Y sign` makes."""
        return _run("-Y", "sign", "-q", "-f", str(self.path), "-n", namespace, stdin=message).stdout

    @property
    def fingerprint(self) -> str:
        return _run("-l", "-f", str(self.path)).stdout.split()[1].decode()


def fixed_key(name: str) -> SigningKey:
    """Return the same key for the same name in every run, fit for the names of tests."""
    seed = hashlib.sha256(name.encode()).digest()
    return SigningKey(private=Ed25519PrivateKey.from_private_bytes(seed), name=name)


def make_openssh_key(path: Path, key_type: str = "ed25519", bits: int | None = None) -> OpenSshKey:
    """Have ssh-keygen make a key without a passphrase."""
    size = () if bits is None else ("-b", str(bits))
    _run("-q", "-t", key_type, *size, "-N", "", "-C", path.name, "-f", str(path))
    return OpenSshKey(path=path)


def openssh_accepts(
    signers: Path,
    principal: str,
    message: bytes,
    armored: bytes,
    namespace: str,
    options: tuple[str, ...] = (),
) -> bool:
    """Tell whether `ssh-keygen -Y verify` accepts a signature by this list of signers."""
    signature = signers.with_name(f"{signers.name}.sig")
    signature.write_bytes(armored)
    arguments = ("-f", str(signers), "-I", principal, "-n", namespace, "-s", str(signature))
    run = _run("-Y", "verify", *arguments, *options, stdin=message, check=False)
    return run.returncode == 0


def _run(
    *arguments: str, stdin: bytes = b"", check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["ssh-keygen", *arguments], input=stdin, capture_output=True, check=check, timeout=60
    )
