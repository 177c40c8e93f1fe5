"""After plain `tar`, pip and uv install a bundle by themselves: offline, with an empty cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from support.making.bundles import host_target
from support.making.projects import make_project
from support.making.sources import make_source
from support.making.wheels import make_wheel
from support.running.airgap import AIRGAP
from support.running.command import succeed
from support.running.index import LocalIndex
from wheelferry_bundler.read.targets import host_platform_name

UV = uv.find_uv_bin()
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
LINKS = ("--no-index", "--find-links", "wheels")
WAYS = {
    "pip with requirements": (*PIP, "install", *LINKS, "--require-hashes", "-r", "requirements"),
    "pip with pylock": (*PIP, "install", "-r", "pylock"),
    "uv sync with pylock": (UV, "pip", "sync", "pylock"),
    "uv with requirements": (UV, "pip", "install", "--offline", *LINKS, "-r", "requirements"),
}
"""The four ways; the last word becomes the name of the document."""
REAL = """
[project]
name = "real"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["aiohttp", "httpx[http2]", "pydantic", "cffi", "pyyaml", "loc"]
[project.optional-dependencies]
templates = ["jinja2"]
[dependency-groups]
dev = ["pytest"]
[tool.uv]
package = false
sources.loc = { path = "loc" }
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An empty environment, without pip."""
    return make_environment(tmp_path / "environment")


def make_environment(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


def unpack(bundle: Path, folder: Path) -> Path:
    folder.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", bundle, "-C", folder], check=True)
    return folder


def install(
    way: str, folder: Path, environment: Path, middle: str = "", prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    *command, document = WAYS[way]
    suffix = {"requirements": ".txt", "pylock": ".toml"}[document]
    python = str(environment / "bin/python")
    if command[0] != UV:
        # pip works on another environment only where it is told so before the command.
        command[3:3] = ["--python", python]
    return subprocess.run(
        [*prefix, *command, f"{document}{middle}{suffix}"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "VIRTUAL_ENV": str(environment),
            "UV_CACHE_DIR": str(environment.parent / "cache"),
            "UV_NO_CONFIG": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def installed(environment: Path) -> set[str]:
    infos = environment.glob("lib/python3*/site-packages/*.dist-info")
    return {info.name.removesuffix(".dist-info").replace("_", "-") for info in infos}


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    """The project demo, which is built into a wheel, and needs a package with a local version."""
    helper = make_wheel("helper", "2.0+cpu")
    fast = make_wheel("fast", tag=_own_tag(), pure=False)
    windows = make_wheel("windows")
    dependencies = [(helper, None), (fast, None), (windows, "sys_platform == 'nope'")]
    return make_project(tmp_path / "project", index, dependencies)


def _own_tag() -> str:
    target = host_target()
    abi = target.abis[0]
    return f"{abi}-{abi}-{target.platforms[0]}"


@pytest.mark.parametrize("way", WAYS)
def test_installs_a_bundle(project: Path, tmp_path: Path, environment: Path, way: str) -> None:
    succeed("create", cwd=project)
    folder = unpack(project / "bundle.tar.zst", tmp_path / "far")
    ran = install(way, folder, environment)
    assert ran.returncode == 0, ran.stderr
    assert installed(environment) == {"demo-1.0", "fast-1.0", "helper-2.0+cpu"}


@pytest.mark.parametrize("way", WAYS)
def test_installs_one_target_of_several(
    project: Path, tmp_path: Path, environment: Path, index: LocalIndex, way: str
) -> None:
    (project / "uv.lock").unlink()
    make_project(project, index, [(make_wheel("pure"), None)])
    other = ("--platform", "win_amd64", "--python", f"3.{sys.version_info.minor}")
    succeed("create", "--platform", host_platform_name(), *other, cwd=project)
    folder = unpack(project / "bundle.tar.zst", tmp_path / "far")
    mine = f"cp3{sys.version_info.minor}-{host_platform_name()}"
    ran = install(way, folder, environment, f".{mine}")
    assert ran.returncode == 0, ran.stderr
    assert installed(environment) == {"demo-1.0", "pure-1.0"}


@pytest.mark.parametrize("way", WAYS)
def test_refuses_a_changed_wheel(
    project: Path, tmp_path: Path, environment: Path, way: str
) -> None:
    succeed("create", cwd=project)
    folder = unpack(project / "bundle.tar.zst", tmp_path / "far")
    make_wheel("helper", "2.0+cpu", files={"evil.py": b""}).write(folder / "wheels")
    ran = install(way, folder, environment)
    assert ran.returncode != 0
    # uv looks at the size first.
    assert "hash" in ran.stderr.lower() or "has size" in ran.stderr
    assert not installed(environment)


@pytest.mark.ends
@pytest.mark.online
@pytest.mark.namespace
def test_installs_many_packages_from_pypi(tmp_path: Path) -> None:
    project = tmp_path / "project"
    make_source(project / "loc", make_wheel("loc", "1.0+cpu"))
    (project / "pyproject.toml").write_text(REAL, encoding="utf-8")
    subprocess.run([UV, "lock", "--quiet"], cwd=project, check=True)
    target = ("--platform", host_platform_name(), "--python", f"3.{sys.version_info.minor}")
    succeed("create", "--extra", "templates", *target, "--platform", "win_amd64", cwd=project)
    folder = unpack(project / "bundle.tar.zst", tmp_path / "far")
    middle = f".cp3{sys.version_info.minor}-{host_platform_name()}"
    found = []
    for way in WAYS:
        environment = make_environment(tmp_path / way / "environment")
        ran = install(way, folder, environment, middle, prefix=AIRGAP)
        assert ran.returncode == 0, ran.stderr
        code = "import aiohttp, cffi, loc, markupsafe, pydantic_core, yaml"
        subprocess.run([environment / "bin/python", "-c", code], check=True)
        found.append(installed(environment))
    assert all(packages == found[0] for packages in found)
    assert len(found[0]) >= 20
