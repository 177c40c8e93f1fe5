"""An index for a network: made by `bundle unpack --simple-index`, served by a plain web server."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uv

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import succeed
from support.running.homes import move_home
from support.running.index import serve

REQUESTS: list[str] = []


class _Quiet(SimpleHTTPRequestHandler):
    """What `python -m http.server` serves with, but it remembers instead of printing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        REQUESTS.append(format % args)


class _Json(_Quiet):
    """Serves the JSON pages, as a server does that is told to look at `Accept`."""

    index_pages = ("index.json",)
    extensions_map = {".json": "application/vnd.pypi.simple.v1+json"}  # noqa: RUF012


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two bundles: of the project demo, and of newer packages."""
    folder = tmp_path_factory.mktemp("made")
    helper = make_wheel("helper", "2.0+cpu", metadata="Requires-Python: >=3.8\n")
    pure = make_wheel("pure", requires=("helper",))
    old = make_wheel("pure", "0.9", metadata="Requires-Python: <3\n", requires=("nowhere",))
    with pytest.MonkeyPatch.context() as monkeypatch, serve() as index:
        move_home(folder / "home", monkeypatch)
        first = make_project(folder / "one", index, [(pure, None), (helper, None)])
        second = make_project(folder / "two", index, [(old, None)], [(make_wheel("tester"), None)])
        for project in (first, second):
            succeed("create", cwd=project)
            succeed("unpack", "bundle.tar.zst", "--simple-index", folder / "index", cwd=project)
    return folder / "index"


@pytest.fixture
def served(made: Path, tmp_path: Path) -> Path:
    """A copy of that index."""
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture(params=[_Quiet, _Json], ids=["html", "json"])
def url(served: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the index is served, under a path of its own."""
    REQUESTS.clear()
    handler = functools.partial(request.param, directory=str(served.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index/simple/"
        server.shutdown()
        thread.join()


def run(*command: str | Path, cwd: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "UV_NO_CONFIG": "1"}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": str(cwd / "cache")}
    ran = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def modules(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.py")}


def test_pip_installs_from_it(url: str, tmp_path: Path) -> None:
    where = ("--index-url", url, "--target", "out", "--no-cache-dir")
    run(sys.executable, "-m", "pip", "install", *where, "pure", "tester", cwd=tmp_path)
    assert modules(tmp_path / "out") == {"pure.py", "helper.py", "tester.py"}
    # It knew what pure needs before it fetched it.
    assert any("/files/pure-1.0-py3-none-any.whl.metadata" in line for line in REQUESTS)


def test_uv_installs_from_it(url: str, tmp_path: Path) -> None:
    where = ("--default-index", url, "--target", "out", "--python", sys.executable)
    run(uv.find_uv_bin(), "pip", "install", *where, "pure", "tester", cwd=tmp_path)
    assert modules(tmp_path / "out") == {"pure.py", "helper.py", "tester.py"}
    assert any("/files/pure-1.0-py3-none-any.whl.metadata" in line for line in REQUESTS)


def test_uv_locks_from_it(url: str, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/pyproject.toml").write_text(
        f"[project]\nname = 'far'\nversion = '1'\nrequires-python = '>={sys.version_info[0]}."
        f"{sys.version_info[1]}'\ndependencies = ['pure']\n[tool.uv]\npackage = false\n",
        encoding="utf-8",
    )
    where = ("--default-index", url, "--python", sys.executable)
    run(uv.find_uv_bin(), "lock", *where, cwd=tmp_path / "far")
    run(uv.find_uv_bin(), "sync", "--locked", *where, cwd=tmp_path / "far")
    found = (tmp_path / "far/.venv").glob("lib/python3*/site-packages")
    assert {"pure.py", "helper.py"} <= {name for folder in found for name in modules(folder)}


def test_changed_wheel_is_refused(url: str, served: Path, tmp_path: Path) -> None:
    make_wheel("pure", files={"evil.py": b""}).write(served / "files")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--index-url", url, "--target", "out"),
            *("--no-cache-dir", "pure"),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ran.stderr
