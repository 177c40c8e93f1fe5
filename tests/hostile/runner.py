"""Runs `bundle` for tests, each time in a process of its own that is watched, without a new start.

A command tells what it opened for writing, what it started, and what code it ran, as Python's audit
hooks see it (sys.addaudithook); the kernel tells what memory and time it took.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from support.running import forking

CPU_SECONDS = 20
ADDRESS_SPACE = 2**32
_EVENTS = 3
"""The descriptor to which a command tells what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a command left and did. Paths are absolute; `memory` is in bytes, `seconds` of CPU."""

    code: int
    out: str
    err: str
    written: frozenset[str]
    started: frozenset[str]
    executed: frozenset[str]
    memory: int
    seconds: float


class Runner:
    """A server in the background; closed by `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = forking.Server(__name__)

    def run(self, *arguments: str | Path, cwd: Path, env: Mapping[str, str]) -> Watched:
        """Run `bundle` with these arguments, and nothing but `env` as its environment."""
        request = {
            "arguments": [str(argument) for argument in arguments],
            "cwd": str(cwd),
            "env": dict(env),
            "folder": str(self._folder),
        }
        answer = self._server.ask(request)
        out, err, events = (
            (self._folder / name).read_text(encoding="utf-8") for name in ("out", "err", "events")
        )
        seen = [json.loads(line) for line in events.splitlines()]
        return Watched(
            out=out,
            err=err,
            written=frozenset(path for kind, path in seen if kind == "write"),
            started=frozenset(path for kind, path in seen if kind == "start"),
            executed=frozenset(path for kind, path in seen if kind == "execute"),
            **answer,
        )

    def close(self) -> None:
        self._server.close()


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS = {
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
}
"""Events that change files: where each has a path, and the folder that this is relative to."""


def _absolute(path: object, folder: object) -> str:
    if isinstance(path, int):
        return os.readlink(f"/proc/self/fd/{path}")
    name = os.fsdecode(path)  # type: ignore[arg-type]
    if isinstance(folder, int) and folder >= 0:
        name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
    return os.path.abspath(name)


def _telling(opened: Any, told: Callable[[str, str], None], inside: list[int]) -> Any:
    """Return `os.open` that tells where it opens a file for writing below an open folder.

    Python's own event leaves the folder out; `inside` is not empty while there is one.
    """

    def opening(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is None:
            return int(opened(path, flags, mode))
        if flags & _WRITING:
            told("write", _absolute(path, dir_fd))
        inside.append(dir_fd)
        try:
            return int(opened(path, flags, mode, dir_fd=dir_fd))
        finally:
            inside.pop()

    return opening


def _watch(events: int) -> None:
    """Write what happens from now on in this process, and in those that it forks, to a file."""

    def told(kind: str, path: str) -> None:
        os.write(events, f"{json.dumps([kind, path])}\n".encode())

    inside: list[int] = []
    os.open = _telling(os.open, told, inside)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING and not isinstance(path, int) and not inside:
                told("write", _absolute(path, None))
        elif event in _PATHS:
            for path, folder in _PATHS[event]:
                told("write", _absolute(arguments[path], folder and arguments[folder]))
        elif event in {"subprocess.Popen", "os.exec", "os.posix_spawn"} or event == "os.system":
            told("start", os.fsdecode(arguments[0]))
        elif event == "exec":
            told("execute", getattr(arguments[0], "co_filename", "?"))

    sys.addaudithook(hook)


def _child(request: dict[str, Any]) -> None:
    import resource

    from wheelferry_installer import cli

    files = {1: "out", 2: "err", _EVENTS: "events"}
    folder = request["folder"]
    forking.stand_in(request, {number: f"{folder}/{name}" for number, name in files.items()})
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    _watch(_EVENTS)
    try:
        cli.main()
    except SystemExit as end:
        forking.end(end.code if isinstance(end.code, int) else 1)


def _answered(search: ModuleType) -> Any:
    """Return an `InterpreterQuery` that runs this interpreter once and repeats its answer."""
    known = search.ask(sys.executable)

    class Answered:
        answer = known

        def __init__(self, executable: str) -> None:
            # An upgrade keeps the Python that the environment was made from.
            assert os.path.realpath(executable) == os.path.realpath(sys.executable)
            self.executable = executable

        def __enter__(self) -> object:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    return Answered


def main() -> None:
    """Serve until there are no more requests."""
    from wheelferry_installer.host import interpreter_search

    forking.load("wheelferry_bundler", "wheelferry_installer")
    interpreter_search.InterpreterQuery = _answered(interpreter_search)  # type: ignore[misc]
    forking.serve(_child)
