"""Environments that others made and installed into, as wheelferry finds them."""

from __future__ import annotations

import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from support.making.bundles import make_bundle, trust
from support.making.wheels import TinyWheel, record_row
from support.running.command import Ran
from support.running.installations import ALICE, SITE_PACKAGES

Install = Callable[..., Ran]
"""Installs a bundle of wheels; further arguments are options."""


def make_environment(environment: Path) -> Path:
    """Make a virtual environment as somebody else does, with a package in it."""
    venv.create(environment, symlinks=True)
    put_by_others(environment, "theirs", {"theirs/__init__.py": b"NAME = 'theirs'\n"})
    return environment


def bundle_installer(folder: Path, main: Callable[..., Ran]) -> Install:
    """Return what makes a bundle of wheels and installs it, in this process."""
    signers = trust(folder / "signers", ALICE)

    def install(wheels: Sequence[TinyWheel], *options: object) -> Ran:
        bundle = make_bundle(folder / "bundle.tar.zst", wheels, keys=[ALICE])
        return main("install", bundle, "--allowed-signers", signers, "--no-sync", *options)

    return install


def put_by_others(
    environment: Path, name: str, files: dict[str, bytes], version: str = "1.0"
) -> None:
    """Install a package as another installer does."""
    site_packages = environment / SITE_PACKAGES
    metadata = f"{name}-{version}.dist-info"
    files = {**files, f"{metadata}/INSTALLER": b"pip\n", f"{metadata}/METADATA": b"Name: x\n"}
    record = "".join(record_row(path, data) for path, data in files.items())
    for path, data in {**files, f"{metadata}/RECORD": record.encode()}.items():
        (site_packages / path).parent.mkdir(parents=True, exist_ok=True)
        (site_packages / path).write_bytes(data)


def packages(environment: Path) -> list[str]:
    """Return the .dist-info folders of an environment."""
    return sorted(path.stem for path in (environment / SITE_PACKAGES).glob("*.dist-info"))


def times(folder: Path) -> dict[str, int]:
    """Return when each file below a folder was changed."""
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}
