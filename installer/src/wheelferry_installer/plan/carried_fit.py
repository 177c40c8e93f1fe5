"""Decides which Python in a bundle is for this host; pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wheelferry_installer.plan.fitting import Fit
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas import receipt
from wheelferry_schemas.bundle.manifest import Manifest, Package
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.python_tree import read_release
from wheelferry_schemas.target import Target
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

FOLDER = f"{receipt.FOLDER}/python"
"""Where the bundled Python is in an environment."""
EXECUTABLE = "bin/python3"


def fit_bundled(manifest: Manifest, host: Interpreter, environment: Path) -> Fit:
    """Return the newest Python in a bundle that fits a host, and its target.

    `host` is any interpreter of that host. The bundled Python is described by its target until
    `ask_bundled` has asked it. Raises `UnfitError`.
    """
    platforms = dict.fromkeys(tag.rsplit("-", 1)[1] for tag in host.tags)
    runs = {platform: rank for rank, platform in enumerate(platforms)}
    fitting = [
        (target.python, -_rank(target, runs), target)
        for target in manifest.targets
        if manifest.python_for(target.id) is not None
        and _is_for(target, manifest.packages_for(target.id), host, runs)
    ]
    if not fitting:
        along = ", ".join(f"{p.name} for {' and '.join(p.targets)}" for p in manifest.pythons)
        raise UnfitError(
            f"no Python in the bundle fits {host.description}",
            details=[along] if along else [],
            hint="ask for a bundle made with --python-archive, or pass --python",
        )
    target = max(fitting, key=lambda entry: entry[:2])[2]
    archive = manifest.python_for(target.id)
    assert archive is not None
    release = read_release(archive.name)
    version = release.version if release else target.markers.python_version
    executable = environment / FOLDER / EXECUTABLE
    expected = Interpreter(
        executable=executable,
        base_executable=executable,
        markers={**target.markers.plain(), "python_full_version": version},
        tags={},
        paths={"scripts": "bin"},
        libc="",
    )
    return Fit(target=target, interpreter=expected, packages=manifest.packages_for(target.id))


def _is_for(
    target: Target, packages: tuple[Package, ...], host: Interpreter, runs: Mapping[str, int]
) -> bool:
    return (
        target.markers.sys_platform == host.markers["sys_platform"]
        and target.markers.platform_machine == host.markers["platform_machine"]
        and _rank(target, runs) < len(runs)
        and all(
            any(tag.platform == "any" or tag.platform in runs for tag in tags)
            for tags in (parse_wheel_name(package.wheel)[3] for package in packages)
        )
    )


def _rank(target: Target, runs: Mapping[str, int]) -> int:
    """Return the rank of a target's best platform on this host."""
    # A plain linux_* says nothing about the libc.
    known = (p for p in target.platforms if p in runs and not p.startswith("linux_"))
    return min((runs[platform] for platform in known), default=len(runs))
