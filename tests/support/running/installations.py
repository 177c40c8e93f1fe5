"""Environments installed in this process, and what they are made of."""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from support.making.archives import NOW, policy_of
from support.making.bundles import make_bundle
from support.making.wheels import TinyWheel
from support.running.ssh import fixed_key
from wheelferry_installer.environment.present import present_in
from wheelferry_installer.host.interpreter_search import ask
from wheelferry_installer.install import installation
from wheelferry_installer.install.installation import Replaced
from wheelferry_installer.plan import environment_plan, fitting
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import verify

ALICE = fixed_key("alice")
SITE_PACKAGES = f"lib/python3.{sys.version_info.minor}/site-packages"


@functools.cache
def this_interpreter() -> Interpreter:
    return ask(sys.executable)


def install(
    bundle: Path,
    environment: Path,
    *,
    sync: bool = False,
    on_progress: Callable[[str, int], None] = lambda _name, _size: None,
    **options: Any,
) -> Replaced:
    """Install a bundle that alice signed; `options` are those of `planning.plan`."""
    opened = open_bundle(bundle)
    try:
        verified = verify(opened, policy_of(ALICE), NOW)
        fit = fitting.fit(verified.manifest, [this_interpreter()])
        plan = environment_plan.plan(
            verified,
            present_in(environment, verified.sha256),
            fit,
            **{"compile_bytecode": False, **options},
        )
        return installation.install(plan, NOW, on_progress, sync=sync)
    finally:
        opened.archive.close()


def install_wheels(
    environment: Path, wheels: Sequence[TinyWheel], roots: Sequence[str] = (), **options: Any
) -> Replaced:
    """Install a bundle of these wheels, written beside the environment."""
    bundle = environment.parent / f"{environment.name[:20]}.tar.zst"
    environment.parent.mkdir(parents=True, exist_ok=True)
    make_bundle(bundle, wheels, keys=[ALICE], roots=roots)
    return install(bundle, environment, **options)


def run_python(environment: Path, code: str) -> str:
    """Run a line of Python in an environment and return what it prints."""
    return run(environment / "bin" / "python", "-c", code)


def run(*command: str | Path) -> str:
    """Run a program and return what it prints."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def record(environment: Path, dist_info: str) -> dict[Path, tuple[str, str]]:
    """Return what RECORD lists: each file's hash and size as RECORD spells them."""
    site_packages = environment / SITE_PACKAGES
    text = (site_packages / dist_info / "RECORD").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    listed = {(site_packages / path).resolve(): (digest, size) for path, digest, size in rows}
    assert len(listed) == len(rows)
    return listed


def spelled_hash(path: Path) -> str:
    """Return a file's hash as RECORD spells it."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
