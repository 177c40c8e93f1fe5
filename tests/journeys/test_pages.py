"""The pages of the documentation for operators: all of their commands, as they stand there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.making.workspaces import NAMES, make_workspace
from support.running.command import succeed
from support.running.index import LocalIndex
from support.running.pages import DOCS, Page, Room

PATH = os.pathsep.join(
    (
        *(str(Path(path).parent) for path in (sys.executable, uv.find_uv_bin())),
        # uv makes no environment from the Python of another one: it takes the one behind it.
        f"{sys.base_prefix}/bin",
        "/bin",
    )
)


@pytest.fixture
def rooms(tmp_path: Path, index: LocalIndex) -> dict[str, Room]:
    """Both sides: each with a home of its own, the far one without an index."""
    online, far = tmp_path / "online/demo", tmp_path / "far"
    for folder in (online, far, tmp_path / "home", tmp_path / "far-home"):
        folder.mkdir(parents=True)
    common = {"PATH": PATH, "LANG": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    here = {**common, "HOME": str(tmp_path / "home"), "UV_DEFAULT_INDEX": index.simple_url}
    there = {
        **common,
        "HOME": str(tmp_path / "far-home"),
        "XDG_STATE_HOME": str(tmp_path / "far-state"),
        "PIP_NO_CACHE_DIR": "1",
    }
    return {
        "online": Room(folder=online, environment=here),
        "far": Room(folder=far, environment=there),
    }


@pytest.fixture
def _trusted(rooms: dict[str, Room], tmp_path: Path) -> None:
    """Alice's key: the online side signs with it, the far side has been told to trust it."""
    key = tmp_path / "home/.config/wheelferry/signing_key"
    key.parent.mkdir(parents=True)
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", key)
    subprocess.run(command, check=True)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "far-home/.config")}
    succeed(
        *("trust", "add", "--yes", key.with_suffix(".pub")),
        cwd=rooms["far"].folder,
        env=environment,
    )


def installed(environment: Path) -> set[str]:
    infos = environment.glob("lib/python3*/site-packages/*.dist-info")
    return {info.name.split("-")[0] for info in infos}


@pytest.mark.usefixtures("_trusted")
def test_without_wheelferry(rooms: dict[str, Room], index: LocalIndex) -> None:
    make_project(rooms["online"].folder, index, [(make_wheel("pure"), None)])
    Page(path=DOCS / "how-to/without-wheelferry.md", rooms=rooms, carried=("*.tar.zst",)).run()
    for name in ("one", "two", "three", "four"):
        assert installed(rooms["far"].folder / "wheelhouse" / name) == {"demo", "pure"}
    documents = (rooms["far"].folder / "for-linux").glob("requirements.*")
    assert [path.name for path in documents] == ["requirements.cp312-manylinux_2_28_x86_64.txt"]


@pytest.mark.usefixtures("_trusted")
def test_uv_projects(
    rooms: dict[str, Room], index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple_url)
    project, far = rooms["online"].folder, rooms["far"].folder
    project.rmdir()
    make_workspace(project, index)
    shutil.copytree(project, far / "demo")
    Page(path=DOCS / "how-to/uv-projects.md", rooms=rooms, carried=("bundle.tar.zst",)).run()
    for name in ("ready/.venv", "demo-environment", "editable/.venv", "demo/.venv"):
        assert installed(far / name) == NAMES | {"tester"}
    for name in ("uv.lock", "pyproject.toml"):
        assert (far / "demo" / name).read_bytes() == (project / name).read_bytes()


@pytest.mark.usefixtures("_trusted")
def test_internal_index(rooms: dict[str, Room], index: LocalIndex) -> None:
    make_project(rooms["online"].folder, index, [(make_wheel("pure"), None)])
    Page(path=DOCS / "how-to/internal-index.md", rooms=rooms, carried=("bundle.tar.zst",)).run()
    for name in ("with-pip", "with-uv"):
        assert installed(rooms["far"].folder / name) == {"demo"}
    assert installed(rooms["far"].folder / "locked") == {"demo", "pure"}
