"""A Python that crosses in the bundle."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from support.making.projects import make_project
from support.making.python_archives import own_tar, write
from support.making.wheels import make_wheel
from support.running.command import bundle, succeed
from support.running.index import LocalIndex


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    return make_project(tmp_path / "project", index, dependencies=[(make_wheel("pure"), None)])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write(tmp_path / "python.tar.gz", own_tar())


def test_python_crosses_and_runs_the_program(project: Path, archive: Path, tmp_path: Path) -> None:
    succeed("create", "--python-archive", archive, cwd=project)
    shown = succeed("show", "bundle.tar.zst", cwd=project)
    assert "  Python: python.tar.gz  " in shown.out
    succeed("verify", "bundle.tar.zst", cwd=project)
    succeed("install", project / "bundle.tar.zst", "--bundled-python", cwd=tmp_path)
    archive.unlink()
    run = subprocess.run([tmp_path / ".venv/bin/demo"], capture_output=True, text=True, check=True)
    assert run.stdout == "demo runs\n"
    prefix = subprocess.run(
        [tmp_path / ".venv/bin/python", "-c", "import sys; print(sys.base_prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(prefix.stdout.strip()).resolve() == tmp_path / ".venv/wheelferry/python"


def test_sbom_names_the_python(project: Path, archive: Path) -> None:
    succeed("create", "--python-archive", archive, cwd=project)
    components = succeed("show", "--sbom", "bundle.tar.zst", cwd=project).data["components"]
    (python,) = (each for each in components if each["type"] == "platform")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert python["hashes"] == [{"alg": "SHA-256", "content": sha256}]


def test_unpacked_bundle_has_the_python(project: Path, archive: Path, tmp_path: Path) -> None:
    succeed("create", "--python-archive", archive, cwd=project)
    succeed("unpack", "bundle.tar.zst", tmp_path / "out", cwd=project)
    assert (tmp_path / "out/pythons/python.tar.gz").read_bytes() == archive.read_bytes()


def test_plain_tar_takes_the_archive_out(project: Path, archive: Path, tmp_path: Path) -> None:
    succeed("create", "--python-archive", archive, cwd=project)
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", project / "bundle.tar.zst", "-C", out], check=True)
    assert (out / "pythons/python.tar.gz").read_bytes() == archive.read_bytes()


def test_same_input_gives_the_same_bytes(project: Path, archive: Path) -> None:
    for name, seed in (("one", "1"), ("two", "2")):
        env = {"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": seed}
        succeed("create", "--python-archive", archive, "-o", name, cwd=project, env=env)
    assert (project / "one").read_bytes() == (project / "two").read_bytes()


def test_two_targets_have_to_be_told_apart(project: Path, archive: Path) -> None:
    here = f"3.{sys.version_info.minor}"
    options = ("--python", here, "--python", "3.99", "--no-dev", "--python-archive", archive)
    ran = bundle("create", *options, cwd=project)
    assert ran.code == 2
    assert "--python-archive cp3" in ran.err
