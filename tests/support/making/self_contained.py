"""Files that install themselves, with an installer of a few lines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support.running.command import Ran
from wheelferry_bundler.carry.installer_files import CarriedInstaller, HostSet, pack
from wheelferry_bundler.carry.self_contained_writer import write_self_contained
from wheelferry_bundler.read.targets import host_platform_name

TOOL = "installer/tool.zip"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def payload(
    main: str = "print('ran')",
    *,
    python: str = HERE,
    platform: str | None = None,
    more: Mapping[str, bytes] | None = None,
) -> CarriedInstaller:
    """Return an installer whose `main(path)` has this body."""
    body = "".join(f"    {line}\n" for line in main.splitlines())
    tree = {
        "_cffi_backend.py": b"",
        "wheelferry_installer/__init__.py": b"",
        "wheelferry_installer/carried.py": f"def main(path):\n{body}".encode(),
        **(more or {}),
    }
    one = HostSet(python=python, platform=platform or host_platform_name(), files=(TOOL,))
    return CarriedInstaller(files={TOOL: pack(tree)}, sets=(one,))


def write(path: Path, installer: CarriedInstaller, bundle: Path | None = None) -> Path:
    """Write the file and return its path."""
    return write_self_contained(path, installer, bundle).path


def run(
    path: Path, *arguments: str, env: Mapping[str, str] | None = None, code: int | None = 0
) -> Ran:
    """Run the file with this Python, which has to end with `code` unless that is None."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", path, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=dict(env or {}),
        timeout=60,
    )
    assert code is None or ran.returncode == code, ran.stderr
    return Ran(code=ran.returncode, out=ran.stdout, err=ran.stderr)
