"""In a fresh interpreter, with everything that it and its workers do written down."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, make_key, trust
from support.making.wheels import make_wheel

WATCHED = """
import json, os, sys

log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def write(what, said):
    os.write(log, f"{os.getpid()} {what} {said}\\n".encode())

seen = set()

def watch(event, arguments):
    if os.getpid() not in seen:
        seen.add(os.getpid())
        write("process", "begins")
    if event == "import":
        write("import", arguments[0])
    elif event.startswith("socket.") or event in ("urllib.Request", "ftplib.connect"):
        write("network", event)

sys.addaudithook(watch)
from wheelferry_installer.cli import main
try:
    main()
finally:
    write("modules", json.dumps(sorted(sys.modules)))
"""
NETWORKED = {
    "ssl",
    "_ssl",
    "http",
    "urllib.request",
    "requests",
    "urllib3",
    "httpx",
    "aiohttp",
    "asyncio",
    "ftplib",
    "socketserver",
    "xmlrpc",
    "pip",
    "uv",
    "wheelferry_bundler",
}
COMMANDS = {
    "install": ("install", "bundle.tar.zst", "--compile"),
    "verify": ("verify", "bundle.tar.zst"),
    "show": ("show", "bundle.tar.zst"),
    "unpack": ("unpack", "bundle.tar.zst", "there"),
    "index": ("unpack", "bundle.tar.zst", "--simple-index", "there"),
    "trust": ("trust", "list"),
    "status": ("status", "--venv", "there"),
}


@pytest.fixture
def folder(tmp_path: Path, config_folder: Path) -> Path:
    """A folder with a bundle that this host trusts."""
    key = make_key()
    trust(config_folder / "allowed_signers", key)
    tool = make_wheel("tool", entry_points="[console_scripts]\ntool = tool:main\n")
    make_bundle(tmp_path / "bundle.tar.zst", [tool, make_wheel("pure")], keys=[key])
    return tmp_path


class Log:
    """What a command and its workers imported, and what any of them did on a network."""

    def __init__(self, path: Path) -> None:
        lines = [line.split(" ", 2) for line in path.read_text().splitlines()]
        self.processes = {process for process, _, _ in lines}
        self.network = [said for _, what, said in lines if what == "network"]
        names = {said for _, what, said in lines if what == "import"}
        for _, what, said in lines:
            if what == "modules":
                names.update(json.loads(said))
        self.modules = {
            ".".join(name.split(".")[:parts])
            for name in names
            for parts in range(1, name.count(".") + 2)
        }


def _watch(folder: Path, *arguments: str, code: str = WATCHED) -> Log:
    """Run a command and return what was written down."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    run = subprocess.run(
        [sys.executable, "-c", code, log, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return Log(log)


@pytest.mark.parametrize("name", COMMANDS)
def test_loads_nothing_that_could_use_a_network(folder: Path, name: str) -> None:
    if name == "status":
        _watch(folder, "install", "bundle.tar.zst", "--venv", "there")
    log = _watch(folder, *COMMANDS[name])
    assert not log.modules & NETWORKED
    assert log.network == []


def test_watching_would_see_it(folder: Path) -> None:
    use = "import http.client, socket; socket.create_server(('127.0.0.1', 0)).close()"
    log = _watch(folder, code=WATCHED.replace("    main()", f"    {use}"))
    assert {"ssl", "http", "http.client"} <= log.modules
    assert "socket.bind" in log.network


def test_workers_are_watched_too(folder: Path) -> None:
    assert len(_watch(folder, *COMMANDS["install"]).processes) > 1
