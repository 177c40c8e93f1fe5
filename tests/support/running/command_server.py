"""The server behind `support.running.command`: each request is one run of `bundle`."""

from __future__ import annotations

import runpy
import signal
import sys
from typing import Any

from support.running import forking

_PATIENCE = 300
"""Seconds after which a command that does not end is ended."""


def main() -> None:
    """Serve until there are no more requests."""
    forking.load("wheelferry_bundler", "wheelferry_installer")
    forking.serve(_run)


def _run(request: dict[str, Any]) -> None:
    """Do what `python -m wheelferry_installer` does, and end as that ends: by leaving Python."""
    forking.stand_in(request, {1: request["out"], 2: request["err"]})
    signal.alarm(_PATIENCE)
    sys.path.insert(0, request["cwd"])
    try:
        runpy.run_module("wheelferry_installer", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int):
            forking.end(end.code)
        raise
