"""Runs the commands of a page of the documentation, as its reader would.

A page's commands stand in fenced blocks, whose info string says `sh` and the room that they are
typed in: ```` ```sh online ````, ```` ```sh far ````. Blocks of a room called `server` run in the
background until the page is over. A block ```` ```output ```` is what the block before it prints,
where `…` stands for anything, and a line of it alone for any lines.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
_BLOCK = re.compile(
    r"^```sh (\w+)\n(.*?)^```$(?:\n+```output\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)
_ANY_BLOCK = re.compile(r"^```(.*)$", re.MULTILINE)
_SERVER = "server"


def _free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pattern(said: str) -> re.Pattern[str]:
    """Return what matches an output in which `…` stands for anything."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in said.splitlines()
    ]
    return re.compile("".join(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where a block is run: its folder, its environment, and what its commands are put behind."""

    folder: Path
    environment: Mapping[str, str]
    prefix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page and the rooms of its blocks.

    What matches `carried` is copied from the first room to the others when it is there. `port`
    stands for 8000, which may be taken on this host.
    """

    path: Path
    rooms: Mapping[str, Room]
    carried: tuple[str, ...] = ()
    port: int = field(default_factory=_free_port)

    def run(self) -> None:
        """Run all blocks in their order; each has to end well."""
        text = self.path.read_text(encoding="utf-8")
        blocks = _BLOCK.findall(text)
        fences = [info for info in _ANY_BLOCK.findall(text) if info]
        assert len(blocks) == len([info for info in fences if info.startswith("sh")]) > 0
        assert len([said for *_, said in blocks if said]) == fences.count("output")
        with contextlib.ExitStack() as servers:
            for room, commands, said in blocks:
                self._carry()
                typed = commands.replace("8000", str(self.port))
                if room == _SERVER:
                    servers.enter_context(self._served(typed))
                else:
                    printed = self._type(self.rooms[room], typed)
                    # A room whose blocks are passed over prints nothing.
                    if said and not self.rooms[room].prefix:
                        assert _pattern(said).fullmatch(printed), f"{typed}\n{printed}"

    def _type(self, room: Room, commands: str) -> str:
        run = subprocess.run(
            [*room.prefix, "sh", "-ec", commands],
            cwd=room.folder,
            env=dict(room.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{commands}\n{run.stdout}"
        return run.stdout

    def _carry(self) -> None:
        first, *others = self.rooms.values()
        for pattern in self.carried:
            for source in first.folder.glob(pattern):
                for room in others:
                    target = room.folder / source.name
                    if not target.exists():
                        copy = shutil.copytree if source.is_dir() else shutil.copy2
                        copy(source, target)

    @contextlib.contextmanager
    def _served(self, command: str) -> Iterator[None]:
        room = list(self.rooms.values())[-1]
        with subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=room.folder,
            env=dict(room.environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                self._wait_for(server)
                yield
            finally:
                server.terminate()

    def _wait_for(self, server: subprocess.Popen[bytes]) -> None:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.05)
        raise AssertionError("the server ended at once")
