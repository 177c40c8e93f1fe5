"""Makes targets from the command line: what is known of a host, and what is assumed."""

from __future__ import annotations

import platform as host_platform
import re
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.read.toml_tables import read_input
from wheelferry_bundler.select.platforms import Platform, parse_platform
from wheelferry_schemas.errors import MalformedError, UsageError
from wheelferry_schemas.target import MarkerEnvironment, MarkerVariable, Target, parse_target

_PYTHON = re.compile(r"3\.(\d{1,2})(?:\.(\d{1,3}))?(t?)")
_OLDEST_MINOR = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonVersion:
    """A CPython version as requested: `3.12`, `3.12.4`, `3.13t`."""

    minor: int
    patch: int | None = None
    free_threaded: bool = False

    def __str__(self) -> str:
        patch = "" if self.patch is None else f".{self.patch}"
        return f"3.{self.minor}{patch}{'t' if self.free_threaded else ''}"


def parse_python(text: str) -> PythonVersion:
    """Read a `--python`; raises `UsageError`."""
    match = _PYTHON.fullmatch(text.strip())
    if match is None or int(match[1]) < _OLDEST_MINOR or (match[3] and int(match[1]) < 13):
        raise UsageError(
            f"{text!r} is not a Python version that bundles can be made for",
            hint="examples: 3.12, 3.12.4, or 3.13t for a free-threaded one",
        )
    return PythonVersion(
        minor=int(match[1]),
        patch=int(match[2]) if match[2] else None,
        free_threaded=bool(match[3]),
    )


def make_targets(
    platforms: Sequence[str], pythons: Sequence[str], files: Sequence[Path] = ()
) -> tuple[Target, ...]:
    """Return each platform with each Python, and the described targets, sorted by id.

    The default is this host, with its patch release. Raises `UsageError`.
    """
    targets = {target.id: target for target in map(read_target, files)}
    if not (platforms or pythons or files):
        return (_this_host(),)
    if platforms or pythons:
        for name in platforms or (host_platform_name(),):
            for version in pythons or (f"3.{sys.version_info.minor}",):
                target = make_target(parse_platform(name), parse_python(version))
                targets.setdefault(target.id, target)
    return tuple(targets[target_id] for target_id in sorted(targets))


def _this_host() -> Target:
    """Return this host as a target.

    Its id omits the patch release, so that an update of Python does not change it.
    """
    platform, minor = parse_platform(host_platform_name()), sys.version_info.minor
    here = make_target(platform, PythonVersion(minor=minor, patch=sys.version_info.micro))
    return here.replaced(id=make_target(platform, PythonVersion(minor=minor)).id)


def read_target(path: Path) -> Target:
    """Read a file that `bundle target` wrote; raises `MalformedError`, `TransferError`."""
    try:
        return parse_target(read_input(path))
    except MalformedError as error:
        raise MalformedError(
            f"{path.name}: {error.message}", hint=error.hint, details=error.details
        ) from error


def make_target(platform: Platform, python: PythonVersion) -> Target:
    """Return the target of a CPython on a platform.

    For `3.12` without a patch release, `python_full_version` is 3.12.0 and recorded as assumed.
    Selection narrows the target to the patch releases that its choice is valid for.
    """
    short = f"cp3{python.minor}"
    abi = f"{short}t" if python.free_threaded else f"{short}m" if python.minor == 7 else short
    full_version = f"3.{python.minor}.{python.patch or 0}"
    assumed: tuple[MarkerVariable, ...] = ("platform_release", "platform_version")
    if python.patch is None:
        assumed = ("implementation_version", *assumed, "python_full_version")
    exact = "" if python.patch is None else f"_{python.patch}"
    return Target(
        id=f"{short}{exact}{'t' if python.free_threaded else ''}-{platform.name}",
        implementation="cpython",
        requires_python=f"==3.{python.minor}.*",
        abis=(abi,),
        platforms=platform.tags,
        markers=MarkerEnvironment(
            implementation_name="cpython",
            implementation_version=full_version,
            os_name=platform.os_name,
            platform_machine=platform.platform_machine,
            platform_python_implementation="CPython",
            platform_release="",
            platform_system=platform.platform_system,
            platform_version="",
            python_full_version=full_version,
            python_version=f"3.{python.minor}",
            sys_platform=platform.sys_platform,
        ),
        assumed=assumed,
    )


def host_platform_name() -> str:
    """Return the platform name of this host."""
    if sys.platform == "darwin":
        version = ".".join((host_platform.mac_ver()[0] or "11.0").split(".")[:2])
        return f"macosx_{version.replace('.', '_')}_{host_platform.machine()}"
    if sys.platform == "win32":
        return sysconfig.get_platform().replace("-", "_")
    libc, version = host_platform.libc_ver()
    if libc == "glibc":
        return f"manylinux_{'_'.join(version.split('.')[:2])}_{host_platform.machine()}"
    return f"musllinux_1_2_{host_platform.machine()}"
