"""Interpreters that uv takes for another Python than the one that runs the tests.

uv asks an interpreter what it is by running a script in it and reading JSON from its output. A
pretended interpreter lets the real one answer and changes the answer: the version, and whether it
is free-threaded. uv then makes environments and chooses wheels for a Python that is not here;
`--python-platform` does the same for the platform. Whatever else is run in it (build backends) is
run by the real interpreter.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wheelferry_bundler.read.targets import parse_python

_PROGRAM = """\
import json, os, subprocess, sys

command = [{real!r}, *sys.argv[1:]]
if not any("get_interpreter_info" in argument for argument in command):
    os.execv(command[0], command)
answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
own = "%d.%d" % sys.version_info[:2]


def moved(paths):
    return {{name: path.replace(own, {short!r}) for name, path in paths.items()}}


answer["scheme"] = moved(answer["scheme"])
answer["virtualenv"] = moved(answer["virtualenv"])
for key in ("sys_prefix", "sys_base_prefix", "sys_base_exec_prefix"):
    answer[key] = {folder!r}
answer["sys_executable"] = answer["sys_base_executable"] = {executable!r}
answer["markers"].update(
    implementation_version={full!r}, python_full_version={full!r}, python_version={short!r}
)
answer["gil_disabled"] = {free_threaded!r}
print(json.dumps(answer))
"""


def make_python(folder: Path, version: str) -> Path:
    """Make a pretended CPython, such as `3.12.4` or `3.13.4t`; returns its executable."""
    python = parse_python(version)
    folder.mkdir(parents=True)
    executable = folder / "python"
    program = folder / "python.py"
    program.write_text(
        _PROGRAM.format(
            real=sys.executable,
            folder=str(folder),
            executable=str(executable),
            short=f"3.{python.minor}",
            full=f"3.{python.minor}.{python.patch}",
            free_threaded=python.free_threaded,
        )
    )
    executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
    executable.chmod(0o755)
    return executable
