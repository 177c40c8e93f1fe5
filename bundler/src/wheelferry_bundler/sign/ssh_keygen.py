"""Signs through `ssh-keygen -Y sign`: for keys in an agent, on hardware, or of other types."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from wheelferry_schemas.errors import MalformedError, UsageError
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.ssh_wire import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKeygenKey:
    """A key that only ssh-keygen can use, under the name `path`."""

    path: Path
    public: PublicKey
    name: str

    def sign(self, message: bytes) -> bytes:
        """Return the armored signature; ssh-keygen prompts on the terminal for a touch or a PIN.

        Raises `UsageError` with ssh-keygen's message where it does not sign.
        """
        command = ["ssh-keygen", "-Y", "sign", "-f", str(self.path), "-n", sshsig.NAMESPACE]
        try:
            run = subprocess.run(command, input=message, capture_output=True, check=False)
        except OSError as error:
            raise UsageError(
                f"ssh-keygen cannot be run: {error.strerror}",
                hint="install OpenSSH 8.2 or newer, or sign with an Ed25519 key file",
            ) from error
        try:
            signature = sshsig.decode(run.stdout)
        except MalformedError as error:
            raise UsageError(
                f"ssh-keygen did not sign with {self.path}",
                details=run.stderr.decode(errors="replace").splitlines()[-5:],
                hint="is the key in the agent (ssh-add -l), or plugged in?",
            ) from error
        if signature.key != self.public:
            raise UsageError(
                f"ssh-keygen signed with a key other than {self.path}",
                hint="name the file of the key that signs with --key; ssh-add -L lists those of the agent",
            )
        return run.stdout
