"""A host without a network, as the examples make one, and what a host does not let us test."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

AIRGAP = ("sh", os.fspath(Path(__file__).parents[3] / "examples/airgap.sh"))
"""What a command is put behind, so that it runs where there is no network."""
NOT_ALLOWED = "this host allows no network namespace"
NO_MOUNTS = "this host allows no mount namespace"


@functools.cache
def is_allowed() -> bool:
    """Return whether this host lets us take the network away from a command."""
    return subprocess.run(AIRGAP, check=False, stderr=subprocess.DEVNULL).returncode == 0


@functools.cache
def mount_namespace() -> tuple[str, ...] | None:
    """Return the prefix that gives a command mounts of its own, None where that is not allowed."""
    behind = ("unshare", *(() if os.geteuid() == 0 else ("-r",)), "-m")
    tried = subprocess.run([*behind, "true"], check=False, stderr=subprocess.DEVNULL)
    return behind if tried.returncode == 0 else None
