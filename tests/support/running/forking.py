"""Commands forked from one process that has loaded everything: a start costs next to nothing.

A server is a module with a function `main` that calls `serve`; `Server` starts and asks it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

_TESTS = Path(__file__).parents[2]
_START = """\
import sys
sys.path[0] = {tests!r}
from {module} import main
del sys.path[0]
main()
"""
_SCRIPTS = ("__main__", "compile_modules", "interpreter_facts", "make_venv", "place_facts")
"""Modules that run when they are imported."""


class Server:
    """A server in the background. One request is answered at a time."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START.format(tests=str(_TESTS), module=module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Return what the server answers to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the server has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)


def load(*packages: str) -> None:
    """Import all modules of these packages but those that other interpreters run."""
    for name in packages:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name.rpartition(".")[2] not in _SCRIPTS:
                importlib.import_module(module.name)


def serve(become: Callable[[dict[str, Any]], None]) -> None:
    """Fork for each request a process that becomes the command, and answer how that ended."""
    # What is loaded here is the children's too, and no garbage to any of them.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            become(json.loads(line))
            sys.exit()
        _, status, used = os.wait4(process, 0)
        answer = {
            "code": os.waitstatus_to_exitcode(status),
            "memory": used.ru_maxrss * 1024,
            "seconds": used.ru_utime + used.ru_stime,
        }
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def stand_in(request: Mapping[str, Any], files: Mapping[int, str]) -> None:
    """Give this process the folder, environment, and arguments of a request.

    What it writes to the descriptors goes to `files`; it reads nothing.
    """
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    for descriptor, path in files.items():
        _become_descriptor(os.open(path, flags, 0o600), descriptor)
    _become_descriptor(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["bundle", *request["arguments"]]


def _become_descriptor(opened: int, descriptor: int) -> None:
    if opened != descriptor:
        os.dup2(opened, descriptor)
        os.close(opened)


def end(code: int) -> NoReturn:
    """End this process as Python does, but leave to the kernel what modules hold."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
