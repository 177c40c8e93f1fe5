"""Compiles the modules that the installer loads, so that it starts faster."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from wheelferry_schemas.errors import WheelferryError

_ENTRANCES = (
    *(
        "cli",
        "carried",
        "install.installation",
        "verify.policy",
        "host.places",
        "install.merging",
    ),
    *("commands.progress_bar", "commands.drawn_bar"),
    *("commands.install", "commands.show", "commands.verify"),
)
"""Modules of the installer that together import what most runs need."""
_LOADED = (
    "import sys, importlib\nfor n in sys.argv[1:]: importlib.import_module(n)\nprint(*sys.modules)"
)
_COMPILE = """
import importlib.util, json, py_compile, sys
for source, shown in json.load(sys.stdin):
    py_compile.compile(source, importlib.util.cache_from_source(source), shown, doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


def compile_modules(
    trees: Mapping[str, Mapping[str, bytes]], interpreter: Path, workspace: Path
) -> dict[str, dict[str, bytes]]:
    """Compile with `interpreter` the modules of each tree that most runs load.

    The compiled files are never compared with their sources, which do not change.
    """
    jobs = []
    for number, tree in enumerate(trees.values()):
        for name in sorted(tree):
            if name.endswith(".py") and _is_loaded(name):
                source = workspace / str(number) / name
                source.parent.mkdir(parents=True, exist_ok=True)
                source.write_bytes(tree[name])
                jobs.append((os.fspath(source), name))
    # Without -I, which would ignore the hash seed, on which the order of set constants depends.
    run = subprocess.run(
        [os.fspath(interpreter), "-S", "-c", _COMPILE],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        cwd=workspace,
        env={"PYTHONHASHSEED": "0"},
        check=False,
    )
    if run.returncode != 0:
        said = run.stderr.decode(errors="replace").splitlines()
        raise WheelferryError(f"{interpreter} could not compile the installer", details=said[-5:])
    return {
        stem: {
            path.relative_to(workspace / str(number)).as_posix(): path.read_bytes()
            for path in (workspace / str(number)).rglob("*.pyc")
        }
        for number, stem in enumerate(trees)
    }


def _is_loaded(name: str) -> bool:
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return module in _loaded()


@functools.cache
def _loaded() -> frozenset[str]:
    """Return the names of the modules that the installer loads."""
    modules = [f"wheelferry_installer.{name}" for name in _ENTRANCES]
    run = subprocess.run(
        [sys.executable, "-c", _LOADED, *modules], capture_output=True, text=True, check=True
    )
    return frozenset(run.stdout.split())
