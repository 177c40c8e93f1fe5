"""Builds wheels for what has none: source archives, git commits and local projects.

`pip wheel` builds in isolation, on this host. A pure-Python result fits every target; a compiled
one only a target like this host, and only where its glibc is not older than the one here.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_version

from wheelferry_bundler.fetching import Fetched, hash_file
from wheelferry_bundler.locked import Artifact, LockedPackage
from wheelferry_bundler.platforms import glibc_minor
from wheelferry_schemas.errors import BuildError, UnfitError
from wheelferry_schemas.target import Target

_SHOWN_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A wheel that was built here. `built_from` is the sha256 of the source archive, if any."""

    wheel: Artifact
    file: Fetched
    built_from: str | None


def build(
    package: LockedPackage, sources: Mapping[str, Fetched], workspace: Path, log_folder: Path
) -> Built:
    """Build the wheel of one package inside `workspace`.

    `sources` holds the fetched source archives by sha256. Raises `BuildError` with the last lines
    of the log, and where the whole of it is.
    """
    folder = workspace / f"{package.name}-{package.key.version or 'dynamic'}"
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    _run_pip(package, _requirement(package, sources, folder), out, log_folder)
    wheels = list(out.glob("*.whl"))
    if len(wheels) != 1:
        raise BuildError(f"building {package.key} gave {len(wheels)} wheels instead of one")
    sha256, size = hash_file(wheels[0])
    artifact = Artifact(file_name=wheels[0].name, path=wheels[0], sha256=sha256, size=size)
    _check_identity(package, artifact)
    return Built(
        wheel=artifact,
        file=Fetched(path=wheels[0], sha256=sha256, size=size),
        built_from=package.sdist.sha256 if package.sdist else None,
    )


def check_fit(package: LockedPackage, wheel: Artifact, target: Target) -> None:
    """Refuse a wheel that was built here but does not fit a target; raises `UnfitError`."""
    fitting = wheel.tags & set(target.tags())
    platforms = {tag.platform for tag in fitting}
    hint = (
        f"build {package.name} on a host like the target, and lock that wheel (as a path or on "
        "an index of yours) instead of the source"
    )
    if not fitting:
        raise UnfitError(
            f"{package.key} was built here as {wheel.file_name}, which does not fit {target.id}",
            hint=hint,
        )
    wanted = glibc_minor(target.platforms[0])
    libc, version = platform.libc_ver()
    if "any" in platforms or not any(name.startswith("linux_") for name in platforms):
        return
    if libc == "glibc" and wanted is not None and int(version.split(".")[1]) > wanted:
        raise UnfitError(
            f"{package.key} was built here against glibc {version}, {target.id} has 2.{wanted}",
            hint=hint,
        )


def _requirement(package: LockedPackage, sources: Mapping[str, Fetched], folder: Path) -> str:
    source = package.source
    if source.kind == "git":
        subdirectory = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
        return f"{package.name} @ git+{source.url}@{source.commit}{subdirectory}"
    if source.kind == "directory" and source.path is not None:
        path = source.path / (source.subdirectory or "")
        if not path.is_dir():
            raise BuildError(
                f"the folder of {package.key} is not there: {path}",
                hint="run this where the whole project is, not only its lock",
            )
        return str(path.resolve())
    if package.sdist is None or package.sdist.sha256 is None:
        raise BuildError(f"the lock states no hash for the source of {package.key}")
    # pip tells the kind of an archive by its name, which the cache does not keep.
    archive = folder / package.sdist.file_name
    shutil.copyfile(sources[package.sdist.sha256].path, archive)
    return str(archive)


def _run_pip(package: LockedPackage, requirement: str, out: Path, log_folder: Path) -> None:
    log_folder.mkdir(parents=True, exist_ok=True)
    log = log_folder / f"build-{package.name}.log"
    command = [
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir"),
        *("--disable-pip-version-check", "--no-input", "--progress-bar", "off"),
        *("--wheel-dir", str(out), requirement),
    ]
    with log.open("wb") as output:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"},
            check=False,
        )
    if run.returncode != 0:
        lines = log.read_text(errors="replace").splitlines()
        raise BuildError(
            f"{package.key} could not be built from {package.source.location}",
            details=lines[-_SHOWN_LINES:],
            hint=f"the whole log is in {log}",
        )
    log.unlink()


def _check_identity(package: LockedPackage, wheel: Artifact) -> None:
    name, version = wheel.name_and_version
    expected = package.key.version
    if name != package.name or (
        expected is not None and canonicalize_version(version) != canonicalize_version(expected)
    ):
        raise BuildError(
            f"building {package.key} gave {wheel.file_name}",
            hint="the lock is older than the project: lock it again",
        )
