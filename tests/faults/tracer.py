"""Runs commands and counts the system calls by which they and all their children change files.

At the call of a given number it kills them, lets the call fail, or sends a signal. What strace's
`inject` does is much the same, but that counts for each process and each kind of call by itself.
This is a program of its own, which `client.py` talks to: it waits for all children that it has, so
it must have no others. It reads requests, one JSON object a line, and answers each with one:

- `command`, `folder`: what to run and where; `bundle` is run in a fork of this process, which has
  loaded it already;
- `at`, `do`: at that call `kill` all processes, `orphan` those that the one which makes the call
  has started by killing that alone, send `TERM` or `INT` to the first, or fail with `EIO` or such;
- `on`: all calls after that fail as well;
- `refuse`: calls that fail as on a kernel that does not know them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import pkgutil
import platform
import signal
import stat
import struct
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import wheelferry_installer
from wheelferry_installer import cli, commands
from wheelferry_installer.environment import generations, tree_journal
from wheelferry_installer.host.places import CONTROL
from wheelferry_installer.system import signals
from wheelferry_schemas.errors import WheelferryError

# <linux/ptrace.h>
_TRACEME, _POKEUSER, _CONT, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 6, 7, 0x4200, 0x420E
_OPTIONS = 0x2 | 0x4 | 0x8 | 0x10 | 0x80 | 0x100000  # fork, vfork, clone, exec, seccomp, exitkill
_EVENT_SECCOMP = 7
_SYSCALL_INFO = struct.Struct("<24xQ6Q")
_RAX, _ORIG_RAX = 80, 120
_WALL = 0x40000000
# <linux/seccomp.h>, <linux/prctl.h>
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD_NUMBER, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000

# Numbers on x86_64; which argument is a path or, negative, a descriptor (-1 is the first). Calls
# with a path that is relative to a descriptor, the argument before it, count as those without.
_CALLS = {
    1: ("write", -1),
    2: ("open", 1),
    18: ("pwrite64", -1),
    20: ("writev", -1),
    40: ("sendfile", -1),
    74: ("fsync", -1),
    75: ("fdatasync", -1),
    76: ("truncate", 1),
    77: ("ftruncate", -1),
    82: ("rename", 1),
    83: ("mkdir", 1),
    84: ("rmdir", 1),
    85: ("creat", 1),
    86: ("link", 1),
    87: ("unlink", 1),
    88: ("symlink", 2),
    90: ("chmod", 1),
    91: ("fchmod", -1),
    92: ("chown", 1),
    93: ("fchown", -1),
    94: ("lchown", 1),
    162: ("sync", 0),
    188: ("setxattr", 1),
    189: ("lsetxattr", 1),
    190: ("fsetxattr", -1),
    257: ("openat", 2),
    258: ("mkdir", 2),
    260: ("chown", 2),
    263: ("unlink", 2),
    264: ("rename", 2),
    265: ("link", 2),
    266: ("symlink", 3),
    268: ("chmod", 2),
    277: ("sync_file_range", -1),
    280: ("utimensat", 2),
    285: ("fallocate", -1),
    296: ("pwritev", -1),
    306: ("syncfs", -1),
    316: ("renameat2", 2),
    326: ("copy_file_range", -3),
    328: ("pwritev2", -1),
    452: ("chmod", 2),
}
_RELATIVE = {257, 258, 260, 263, 264, 265, 266, 268, 280, 316, 452}
_SETTLE = "settle"
_SCRIPTS = ("__main__", "compile_modules", "interpreter_facts", "make_venv", "place_facts")
_OPENS = {"open": 1, "openat": 2}
_CREATES = os.O_CREAT | os.O_TRUNC

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


@dataclass(slots=True)
class _Run:
    """A command while it runs; `calls` are those that were counted, as name and path."""

    request: dict[str, Any]
    root: int
    tracees: set[int]
    calls: list[str] = field(default_factory=list)
    hit: bool = False
    code: int | None = None

    def step(self, pid: int, status: int) -> None:
        """Deal with what `waitpid` says of a process or thread."""
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            self.tracees.discard(pid)
            if pid == self.root:
                self.code = os.waitstatus_to_exitcode(status)
            return
        number = os.WSTOPSIG(status)
        if status >> 16 == _EVENT_SECCOMP:
            self._before_call(pid)
            number = 0
        elif status >> 16 or (number == signal.SIGSTOP and pid not in self.tracees):
            number = 0
        self.tracees.add(pid)
        _ptrace(_CONT, pid, 0, number)

    def _before_call(self, pid: int) -> None:
        info = ctypes.create_string_buffer(_SYSCALL_INFO.size)
        _ptrace(_GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info))
        number, *values = _SYSCALL_INFO.unpack(info.raw)
        name, place = _CALLS[number]
        if name in self.request["refuse"]:
            _fail(pid, errno.ENOSYS)
            return
        if name in _OPENS and not values[_OPENS[name]] & _CREATES:
            return
        if place > 0 and not values[place - 1]:
            # `utimensat` of a descriptor has no path.
            place = -1
        path = "" if not place else _path(pid, values[abs(place) - 1], is_path=place > 0)
        if path is None:
            return
        if number in _RELATIVE and place > 0 and not path.startswith("/"):
            with contextlib.suppress(OSError):
                path = f"{os.readlink(f'/proc/{pid}/fd/{values[place - 2]}')}/{path}"
        self.calls.append(f"{name} {path}")
        at, number = self.request["at"], len(self.calls)
        if number == at or (self.request["on"] and number > at):
            self.hit = True
            self._strike(pid, self.request["do"])

    def _strike(self, pid: int, what: str) -> None:
        if what in ("kill", "orphan"):
            for victim in tuple(self.tracees) if what == "kill" else (pid,):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
        elif what in ("TERM", "INT"):
            os.kill(self.root, getattr(signal, f"SIG{what}"))
        else:
            _fail(pid, getattr(errno, what))


def _path(pid: int, value: int, *, is_path: bool) -> str | None:
    """Return the path that a call is about; None where it is about no file."""
    if not is_path:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{value}")
            mode = os.stat(f"/proc/{pid}/fd/{value}").st_mode
        except OSError:
            return None
        # What goes to the standard streams is none of the command's files.
        is_file = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
        return target if is_file and value > 2 else None
    text = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        # Page by page: what follows the one that a path ends in may not be mapped.
        while b"\0" not in text:
            memory.seek(value + len(text))
            text += memory.read(4096 - (value + len(text)) % 4096)
    return os.fsdecode(text.partition(b"\0")[0])


def _fail(pid: int, number: int) -> None:
    """Let the call that is about to be made fail."""
    _ptrace(_POKEUSER, pid, _ORIG_RAX, ctypes.c_ulong(-1).value)
    _ptrace(_POKEUSER, pid, _RAX, ctypes.c_ulong(-number).value)


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if _libc.ptrace(request, pid, address, data) == -1:
        number = ctypes.get_errno()
        # It was killed meanwhile; waitpid will say so.
        if number != errno.ESRCH:
            raise OSError(number, os.strerror(number), f"ptrace {request:#x} {pid}")


def _filter() -> bytes:
    """Return a seccomp filter that stops at the calls to count, and nowhere else."""
    instructions = [(_LOAD_NUMBER, 0, 0, 0)]
    left = len(_CALLS)
    for number in _CALLS:
        instructions.append((_JUMP_IF_EQUAL, left, 0, number))
        left -= 1
    instructions += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _TRACE)]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)


def _become(request: dict[str, Any]) -> None:
    """Turn this process into the command, stopped once for its tracer."""
    _ptrace(_TRACEME, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    code = _filter()
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    if _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or _libc.prctl(
        _SET_SECCOMP, _MODE_FILTER, program, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "this kernel has no seccomp filters")
    os.chdir(request["folder"])
    # It comes and goes with what is installed in the folder.
    os.environ["XDG_STATE_HOME"] = os.path.abspath("state")
    command = request["command"]
    if command[0] != "bundle":
        os.execvp(command[0], command)  # noqa: S606 - no shell is what is wanted
    if command[1] == _SETTLE:
        _settle(*command[2:])
    sys.argv = command
    cli.main()


def _settle(place: str, folder: str) -> NoReturn:
    """Do what each command that changes something does first, and end."""
    root = Path(os.path.realpath(folder))
    signals.raise_on_term()
    try:
        managed = place == "--venv"
        with (
            generations.locked(root) if managed else tree_journal.locked(root, root / CONTROL, None)
        ):
            pass
    except (WheelferryError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(getattr(error, "exit_code", 7))
    except signals.Terminated:
        sys.exit(143)
    sys.exit(0)


def _start(request: dict[str, Any], out: int, err: int) -> int:
    """Start the command; returns its process, stopped before it does anything."""
    root = os.fork()
    if root == 0:
        code = 126
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            _become(request)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException as error:  # noqa: BLE001 - a fork must not run on
            sys.stderr.write(f"tracer: {error!r}\n")
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    os.waitpid(root, _WALL)
    return root


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run a command to its end, and that of all its children."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        root = _start(request, out.fileno(), err.fileno())
        _ptrace(_SETOPTIONS, root, 0, _OPTIONS)
        _ptrace(_CONT, root, 0, 0)
        run = _Run(request=request, root=root, tracees={root})
        # A child that was orphaned while it was being made is seen only here.
        with contextlib.suppress(ChildProcessError):
            while True:
                run.step(*os.waitpid(-1, _WALL))
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return {
        "code": run.code,
        "out": texts[0],
        "err": texts[1],
        "calls": run.calls,
        "hit": run.hit,
    }


def _load() -> None:
    """Load all of the installer but the scripts that other interpreters run."""
    for package in (wheelferry_installer, commands):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            name = module.name.rpartition(".")[2]
            if name not in _SCRIPTS:
                importlib.import_module(module.name)


def _main() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        sys.exit("the tests that inject faults need Linux on x86_64")
    # One processor means one worker, and so the same order of calls in every run.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    _load()
    for line in sys.stdin:
        answer = _answer(json.loads(line))
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
