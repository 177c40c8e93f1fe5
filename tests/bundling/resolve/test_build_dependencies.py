from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from support.making.sources import make_source, source_files
from support.making.wheels import make_wheel
from support.running.index import LocalIndex
from wheelferry_bundler.model.locked import (
    Artifact,
    Dependency,
    ExtraRequirement,
    LockedPackage,
    LockedSet,
    PackageKey,
    PackageSource,
)
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.resolve.build_dependencies import add_build_dependencies
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import BuildError, UnfitError
from wheelferry_schemas.target import Target

PYTHON = f"3.{sys.version_info.minor}.9"
BACKEND = source_files(make_wheel("app"))["backend.py"].decode()


def target_of(platform: str) -> Target:
    return make_target(parse_platform(platform), parse_python(PYTHON))


LINUX = target_of("manylinux_2_28_x86_64")


@pytest.fixture(autouse=True)
def _index_with_build_tools(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(
        make_wheel("maker", requires=("shared", "winmaker ; sys_platform == 'win32'")),
        make_wheel("winmaker"),
        make_wheel("editor"),
        make_wheel("shared", "1.0"),
        make_wheel("shared", "2.0"),
        make_wheel("setuptools", "90.0"),
    )
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple_url)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


def lock_of(folder: Path, *others: LockedPackage) -> LockedSet:
    """Return a lock of the project in a folder, and of other packages."""
    project = LockedPackage(
        key=PackageKey(name="app", version="1.0", source="."),
        source=PackageSource(kind="directory", location=".", path=folder),
    )
    packages = {package.key: package for package in (project, *others)}
    return LockedSet(
        kind="uv.lock",
        name="app",
        version="1.0",
        requires_python=None,
        packages=packages,
        edges=tuple(Dependency(key=key) for key in packages),
    )


def locked_wheel(name: str, version: str) -> LockedPackage:
    wheel = make_wheel(name, version)
    return LockedPackage(
        key=PackageKey(name=name, version=version, source="registry"),
        source=PackageSource(kind="registry", location="https://index.example/simple"),
        wheels=(Artifact(file_name=wheel.file_name, url="https://x.example", sha256=wheel.sha256),),
    )


def added(locked: LockedSet, target: Target = LINUX) -> list[str]:
    """Return what is selected with build dependencies that was not without."""
    before = select(locked, target)
    after = select(add_build_dependencies(locked, before, BuildOptions()), target)
    assert after.problems == ()
    known = {chosen.package.key for chosen in before.chosen}
    return [str(c.package.key) for c in after.chosen if c.package.key not in known]


def test_adds_what_the_build_system_requires_with_its_dependencies(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"), requires="'maker'")
    assert added(lock_of(tmp_path)) == ["maker 1.0", "shared 2.0"]


def test_adds_what_is_for_the_target(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"), requires="'maker'")
    windows = target_of("win_amd64")
    assert added(lock_of(tmp_path), windows) == ["maker 1.0", "shared 2.0", "winmaker 1.0"]


def test_adds_what_the_backend_needs_for_an_editable_install(tmp_path: Path) -> None:
    hook = (
        "def get_requires_for_build_editable(_=None):\n    print('talk')\n    return ['editor']\n"
    )
    make_source(tmp_path, make_wheel("app"), backend=BACKEND + hook)
    assert added(lock_of(tmp_path)) == ["editor 1.0"]


def test_asks_the_backend_where_its_requirements_are(tmp_path: Path) -> None:
    hook = (
        "def get_requires_for_build_editable(_=None):\n"
        "    import maker\n    return ['editor'] if maker.NAME == 'maker' else []\n"
    )
    make_source(tmp_path, make_wheel("app"), backend=BACKEND + hook, requires="'maker'")
    assert "editor 1.0" in added(lock_of(tmp_path))


def test_agrees_with_what_is_locked(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"), requires="'maker'")
    assert added(lock_of(tmp_path, locked_wheel("shared", "1.0"))) == ["maker 1.0"]


def test_refuses_what_does_not_agree_with_the_lock(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"), requires="'shared>=2'")
    locked = lock_of(tmp_path, locked_wheel("shared", "1.0"))
    with pytest.raises(UnfitError, match="what the project needs to be built") as caught:
        add_build_dependencies(locked, select(locked, LINUX), BuildOptions())
    assert "shared" in str(caught.value)


def test_obeys_the_constraints_of_the_lock(tmp_path: Path, index: LocalIndex) -> None:
    index.add(make_wheel("maker", "3.0"))
    hook = (
        "def get_requires_for_build_editable(_=None):\n"
        "    from importlib.metadata import version\n    return ['editor'] * (version('maker') < '3')\n"
    )
    make_source(tmp_path, make_wheel("app"), backend=BACKEND + hook, requires="'maker'")
    locked = dataclasses.replace(lock_of(tmp_path), build_constraints=("maker<3", "absent==1"))
    assert added(locked) == ["editor 1.0", "maker 1.0", "shared 2.0"]


def test_adds_what_settings_add_to_a_local_project(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"))
    extra = {"app": (ExtraRequirement(text="editor"),)}
    locked = dataclasses.replace(lock_of(tmp_path), extra_build_requires=extra)
    assert added(locked) == ["editor 1.0"]


def test_adds_setuptools_for_a_project_that_names_no_build_system(tmp_path: Path) -> None:
    assert added(lock_of(tmp_path)) == ["setuptools 90.0"]


def test_adds_nothing_where_nothing_is_local(tmp_path: Path) -> None:
    locked = lock_of(tmp_path, locked_wheel("shared", "1.0"))
    alone = LockedSet(
        kind="uv.lock",
        name="app",
        version=None,
        requires_python=None,
        packages=locked.packages,
        edges=locked.edges[1:],
    )
    assert added(alone) == []


def test_names_the_backend_that_does_not_answer(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"), backend="raise SystemExit('out of order')")
    locked = lock_of(tmp_path)
    with pytest.raises(BuildError, match="backend does not state what it needs") as caught:
        add_build_dependencies(locked, select(locked, LINUX), BuildOptions())
    assert "out of order" in str(caught.value)


def test_leaves_nothing_in_the_project_folder(tmp_path: Path) -> None:
    make_source(tmp_path, make_wheel("app"))
    before = sorted(tmp_path.rglob("*"))
    added(lock_of(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
