"""Interpreters on hosts that are not here."""

from __future__ import annotations

from pathlib import Path

from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.target import Target


def target(platform: str = "manylinux_2_28_x86_64", python: str = "3.12") -> Target:
    """Return the target that `--platform` and `--python` ask for."""
    return make_target(parse_platform(platform), parse_python(python))


def interpreter(
    platform: str = "manylinux_2_28_x86_64",
    python: str = "3.12.4",
    libc: str = "glibc 2.28",
    **markers: str,
) -> Interpreter:
    """Return what a CPython on such a host says of itself."""
    described = target(platform, python)
    folder = f"lib/python{described.markers.python_version}/site-packages"
    executable = Path(f"/usr/bin/python{described.markers.python_version}")
    return Interpreter(
        executable=executable,
        base_executable=executable,
        markers={**described.markers.plain(), **markers},
        tags={str(tag): rank for rank, tag in enumerate(described.tags())},
        paths={"purelib": folder, "platlib": folder, "scripts": "bin", "data": "."},
        libc=libc,
    )
