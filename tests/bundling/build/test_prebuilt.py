from __future__ import annotations

from pathlib import Path

from support.making.wheels import TinyWheel, make_wheel
from wheelferry_bundler.build.prebuilt import Prebuilt
from wheelferry_bundler.fetch.wheel_folders import list_folders
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import (
    Artifact,
    Dependency,
    LockedPackage,
    LockedSet,
    PackageKey,
    PackageSource,
)
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.select.selection import Selection, select
from wheelferry_schemas.target import Target

LINUX = "manylinux_2_17_x86_64"
SDIST = Artifact(file_name="demo-1.0.tar.gz", url="https://index.example/demo", sha256="0" * 64)


def target_of(platform: str) -> Target:
    return make_target(parse_platform(platform), parse_python("3.12"))


def package(
    *wheels: TinyWheel, version: str | None = "1.0", sdist: Artifact | None = SDIST
) -> LockedPackage:
    """Return a package that is locked with these wheels and a source archive."""
    return LockedPackage(
        key=PackageKey(name="demo", version=version, source=""),
        source=PackageSource(kind="registry", location="https://index.example/simple"),
        wheels=tuple(
            Artifact(file_name=wheel.file_name, url="https://index.example", sha256=wheel.sha256)
            for wheel in wheels
        ),
        sdist=sdist,
    )


def selected(locked: LockedPackage, folder: Path, target: Target) -> Selection:
    """Select from a lock of this package, completed by the wheels of a folder."""
    lock = LockedSet(
        kind="pylock.toml",
        name="demo",
        version=None,
        requires_python=None,
        packages={locked.key: locked},
        edges=(Dependency(key=locked.key),),
    )
    prebuilt = Prebuilt.of(Locations(folders=list_folders((folder,))))
    return select(prebuilt.complete(lock, target), target)


def test_comes_before_building(tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    path = wheel.write(tmp_path / "wheels")
    (chosen,) = selected(package(), tmp_path / "wheels", target_of(LINUX)).chosen
    assert chosen.wheel == Artifact(
        file_name=wheel.file_name, path=path, sha256=wheel.sha256, size=wheel.size
    )


def test_says_where_it_came_from(tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    wheel.write(tmp_path / "wheels")
    (chosen,) = selected(package(), tmp_path / "wheels", target_of(LINUX)).chosen
    assert chosen.package.source.kind == "path"
    assert chosen.package.source.location == f"wheels/{wheel.file_name}"


def test_comes_after_a_wheel_of_the_lock(tmp_path: Path) -> None:
    make_wheel("demo", files={}).write(tmp_path)
    locked = package(make_wheel("demo"))
    (chosen,) = selected(locked, tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel == locked.wheels[0]


def test_stands_in_where_no_wheel_of_the_lock_fits(tmp_path: Path) -> None:
    wheel = make_wheel("demo", tag=f"cp312-cp312-{LINUX}")
    wheel.write(tmp_path)
    locked = package(make_wheel("demo", tag="cp312-cp312-win_amd64"))
    (chosen,) = selected(locked, tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is not None
    assert chosen.wheel.sha256 == wheel.sha256


def test_leaves_other_targets_to_be_built(tmp_path: Path) -> None:
    make_wheel("demo", tag="cp312-cp312-win_amd64").write(tmp_path)
    (chosen,) = selected(package(), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is None


def test_best_of_several_is_taken(tmp_path: Path) -> None:
    best = make_wheel("demo", tag=f"cp312-cp312-{LINUX}")
    for wheel in (make_wheel("demo"), best, make_wheel("demo", tag=f"cp311-abi3-{LINUX}")):
        wheel.write(tmp_path)
    (chosen,) = selected(package(), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is not None
    assert chosen.wheel.file_name == best.file_name


def test_another_version_is_passed_over(tmp_path: Path) -> None:
    make_wheel("demo", "2.0").write(tmp_path)
    (chosen,) = selected(package(), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is None


def test_version_may_be_spelt_otherwise(tmp_path: Path) -> None:
    make_wheel("demo", "1.0.0").write(tmp_path)
    (chosen,) = selected(package(), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is not None


def test_only_version_stands_in_for_a_dynamic_one(tmp_path: Path) -> None:
    make_wheel("demo", "3.0").write(tmp_path)
    (chosen,) = selected(package(version=None), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is not None


def test_several_versions_do_not_stand_in_for_a_dynamic_one(tmp_path: Path) -> None:
    make_wheel("demo", "3.0").write(tmp_path)
    make_wheel("demo", "4.0").write(tmp_path)
    (chosen,) = selected(package(version=None), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is None


def test_other_files_of_the_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "demo-1.0.tar.gz").write_bytes(b"")
    (tmp_path / "demo.whl").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (chosen,) = selected(package(), tmp_path, target_of(LINUX)).chosen
    assert chosen.wheel is None
