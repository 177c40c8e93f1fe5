"""OpenSSH's own vectors for SSHSIG, and the host's ssh-keygen as a second judge of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from wheelferry_installer.verify import signatures
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.trust import sshsig

FOLDER = Path(__file__).resolve().parent.parent / "vectors/openssh"
MESSAGE = b"This is a test, this is only a test"
NAMESPACE = "unittest"
KINDS = {
    "rsa": "ssh-rsa",
    "ecdsa": "ecdsa-sha2-nistp256",
    "ed25519": "ssh-ed25519",
    "ecdsa_sk": "sk-ecdsa-sha2-nistp256@openssh.com",
    "ed25519_sk": "sk-ssh-ed25519@openssh.com",
}


def _path(kind: str) -> Path:
    return FOLDER / f"{kind}.sig"


@pytest.mark.parametrize("kind", KINDS)
def test_accepts_what_openssh_accepts(kind: str) -> None:
    signature = sshsig.decode(_path(kind).read_bytes())
    assert signature.key.type == KINDS[kind]
    signatures.check(signature, MESSAGE, NAMESPACE)


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_another_message(kind: str) -> None:
    signature = sshsig.decode(_path(kind).read_bytes())
    with pytest.raises(MalformedError, match="does not match what was signed"):
        signatures.check(signature, MESSAGE + b"\n", NAMESPACE)


@pytest.mark.parametrize("kind", KINDS)
def test_writes_them_as_openssh_does(kind: str) -> None:
    armored = _path(kind).read_bytes()
    assert sshsig.encode(sshsig.decode(armored)) == armored


@pytest.mark.parametrize("kind", KINDS)
def test_host_agrees(kind: str) -> None:
    command = ("ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", _path(kind))
    subprocess.run(command, input=MESSAGE, check=True, capture_output=True)


def test_refuses_signatures_that_browsers_make() -> None:
    """They sign a JSON document around what is to be signed: nobody signs bundles like that."""
    signature = sshsig.decode(_path("ecdsa_sk_webauthn").read_bytes())
    with pytest.raises(MalformedError, match="does not sign with 'webauthn-sk-ecdsa"):
        signatures.check(signature, MESSAGE, NAMESPACE)
