"""Packages on a local index, and what is selected of what uv resolves from them."""

from __future__ import annotations

import sys
from pathlib import Path

from support.making.wheels import make_wheel
from wheelferry_bundler.model.locked import LockedPackage, LockedSet
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.inputs import find_source
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.resolve.requirements import read_requirements
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.target import Target

DEMO = make_wheel("demo", requires=("helper", "colorama ; sys_platform == 'win32'"))
HELPERS = [make_wheel("helper", "1.0"), make_wheel("helper", "2.0")]
COLORAMA = make_wheel("colorama")
PRERELEASE = make_wheel("early", "1.0rc1")
PACKAGES = (DEMO, *HELPERS, COLORAMA, PRERELEASE)
PYTHON = f"3.{sys.version_info.minor}"
OTHER = f"3.{sys.version_info.minor + 1}"


def target_of(platform: str, python: str = f"{PYTHON}.9") -> Target:
    return make_target(parse_platform(platform), parse_python(python))


LINUX, WINDOWS = target_of("manylinux_2_28_x86_64"), target_of("win_amd64")


def write(folder: Path, text: str, name: str = "requirements.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def read(
    path: Path,
    target: Target = LINUX,
    wanted: Wanted | None = None,
    options: BuildOptions | None = None,
) -> LockedSet:
    source = find_source(path)
    return read_requirements(source, target, wanted or Wanted(allow_outside_paths=True), options)


def chosen(locked: LockedSet, target: Target = LINUX) -> list[str]:
    """Return what is selected, as `name version`, version `?` where only a build would tell."""
    selection = select(locked, target)
    assert selection.problems == ()
    return [f"{c.package.name} {c.package.key.version or '?'}" for c in selection.chosen]


def roots(locked: LockedSet, target: Target = LINUX) -> tuple[str, ...]:
    """Return the names of what is selected because the source itself asks for it."""
    return select(locked, target).roots


def only(locked: LockedSet, name: str) -> LockedPackage:
    (package,) = (package for package in locked.packages.values() if package.name == name)
    return package
