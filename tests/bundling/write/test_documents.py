from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import uv
from packaging.pylock import Pylock

from support.making.bundles import host_target, make_manifest
from support.making.wheels import TinyWheel, make_wheel
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.read.toml_tables import parse_toml
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.write.documents import lock_documents
from wheelferry_schemas.target import Target

WHEELS = (make_wheel("demo", requires=("helper",)), make_wheel("helper", "2.0+local"))


def target_of(platform: str, python: str = "3.12") -> Target:
    return make_target(parse_platform(platform), parse_python(python))


def unpacked(folder: Path, *wheels: TinyWheel, targets: tuple[Target, ...] = ()) -> Path:
    """Lay a folder out as unpacking a bundle would."""
    targets = targets or (host_target(),)
    documents = lock_documents(targets, make_manifest(wheels, targets).packages)
    for name, data in documents.items():
        (folder / name).write_bytes(data)
    for wheel in wheels:
        wheel.write(folder / "wheels")
    return folder


def names(lock: Path) -> list[str]:
    return [
        str(package.name)
        for package in Pylock.from_dict(parse_toml(lock.read_bytes(), "lock").data).packages
    ]


def installed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".py")


def test_pip_installs_from_requirements(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, *WHEELS)
    first_line = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()[0]
    _, command = first_line.split(": ", 1)
    assert command.startswith("pip install --no-index --find-links wheels --require-hashes")
    run = subprocess.run(
        [sys.executable, "-m", *command.split(), "--target", "out", "--quiet"],
        cwd=folder,
        env={"PIP_CONFIG_FILE": "/dev/null", "PATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert installed(folder / "out") == ["demo.py", "helper.py"]


@pytest.mark.parametrize("document", ["requirements.txt", "pylock.toml"])
def test_uv_installs_from_documents(tmp_path: Path, document: str) -> None:
    folder = unpacked(tmp_path, *WHEELS)
    links = ["--find-links", "wheels"] if document == "requirements.txt" else []
    run = subprocess.run(
        [
            *(uv.find_uv_bin(), "pip", "install", "--no-config", "--no-index", "--offline"),
            *("--python", sys.executable, "--target", "out", *links, "-r", document),
        ],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert installed(folder / "out") == ["demo.py", "helper.py"]


def test_pip_refuses_a_changed_wheel(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, *WHEELS)
    make_wheel("demo", files={}).write(folder / "wheels")
    command = "pip install --no-index --find-links wheels --require-hashes -r requirements.txt"
    run = subprocess.run(
        [sys.executable, "-m", *command.split(), "--target", "out"],
        cwd=folder,
        env={"PIP_CONFIG_FILE": "/dev/null", "PATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in run.stderr


def test_pylock_states_path_size_and_hash_of_each_wheel(tmp_path: Path) -> None:
    lock = unpacked(tmp_path, WHEELS[0]) / "pylock.toml"
    (package,) = Pylock.from_dict(parse_toml(lock.read_bytes(), "lock").data).packages
    assert package.wheels is not None
    (wheel,) = package.wheels
    assert wheel.path == f"wheels/{WHEELS[0].file_name}"
    assert wheel.size == WHEELS[0].size
    assert wheel.hashes == {"sha256": WHEELS[0].sha256}


def test_pylock_asks_for_the_python_of_its_target(tmp_path: Path) -> None:
    target = target_of("manylinux_2_28_x86_64", "3.12")
    lock = unpacked(tmp_path, WHEELS[0], targets=(target,)) / "pylock.toml"
    assert str(Pylock.from_dict(parse_toml(lock.read_bytes(), "lock").data).requires_python) == (
        "==3.12.*"
    )


def test_each_of_several_targets_has_documents_of_its_own(tmp_path: Path) -> None:
    linux, windows = target_of("manylinux_2_28_x86_64"), target_of("win_amd64")
    wheels = (
        make_wheel("everywhere"),
        make_wheel("compiled", tag="cp312-cp312-manylinux_2_17_x86_64"),
        make_wheel("compiled", tag="cp312-cp312-win_amd64"),
        make_wheel("colorama", tag="py3-none-win_amd64"),
    )
    folder = unpacked(tmp_path, *wheels, targets=(linux, windows))
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        f"pylock.{linux.id}.toml",
        f"pylock.{windows.id}.toml",
        f"requirements.{linux.id}.txt",
        f"requirements.{windows.id}.txt",
    ]
    assert names(folder / f"pylock.{linux.id}.toml") == ["compiled", "everywhere"]
    assert names(folder / f"pylock.{windows.id}.toml") == ["colorama", "compiled", "everywhere"]


def test_requirements_of_several_targets_name_themselves(tmp_path: Path) -> None:
    linux, windows = target_of("manylinux_2_28_x86_64"), target_of("win_amd64")
    folder = unpacked(tmp_path, WHEELS[0], targets=(linux, windows))
    name = f"requirements.{windows.id}.txt"
    first_line = (folder / name).read_text(encoding="utf-8").splitlines()[0]
    assert first_line.startswith(f"# {windows.id}: ")
    assert first_line.endswith(f"-r {name}")


def test_documents_of_no_packages_are_valid(tmp_path: Path) -> None:
    assert names(unpacked(tmp_path) / "pylock.toml") == []
