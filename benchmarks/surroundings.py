"""What benchmarks run in: variables and folders of their own, and compiled sources."""

from __future__ import annotations

import compileall
import os
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks.records import Circumstances

ROOT = Path(__file__).resolve().parent.parent
_SOURCES = ("schemas/src", "bundler/src", "installer/src")
# Settings of this host must not decide what pip, uv and Python do here.
_FOREIGN = ("PIP_", "UV_", "VIRTUAL_ENV", "SOURCE_DATE_EPOCH", "PYTHONDONTWRITEBYTECODE")


def own_variables(folder: Path) -> dict[str, str]:
    """Return environment variables that keep everything below a folder; where PyPI is, stays."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if name != _FOREIGN[-1]},
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "WHEELFERRY_CACHE_DIR": str(folder / "wheelferry-cache"),
    }


def contestants_variables(folder: Path) -> dict[str, str]:
    """Return the same without any setting of pip and uv, and with a folder for temporary files."""
    temporary = folder / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        **{k: v for k, v in own_variables(folder).items() if not k.startswith(_FOREIGN)},
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "TMPDIR": str(temporary),
    }


def compile_sources() -> None:
    """Compile wheelferry's modules, as installers do; otherwise every start pays for it."""
    for source in _SOURCES:
        if not compileall.compile_dir(ROOT / source, quiet=1):
            raise SystemExit(f"{source} could not be compiled")


def circumstances() -> Circumstances:
    """Return what is to be said about a measurement that begins now."""
    load, _, _ = os.getloadavg()
    host = f"{os.uname().sysname} {os.uname().machine}, {len(os.sched_getaffinity(0))} CPUs"
    python = "{}.{}.{}".format(*sys.version_info)
    return Circumstances(
        date=datetime.now(timezone.utc).date().isoformat(),
        command=" ".join(["python -m", f"benchmarks.{Path(sys.argv[0]).stem}", *_options()]),
        host=host,
        load=load,
        tools=f"Python {python}, uv {version('uv')}, pip {version('pip')}",
    )


def _options() -> list[str]:
    """Return the options that decide what is measured."""
    options = sys.argv[1:]
    for where in ("--record", "--work"):
        if where in options:
            at = options.index(where)
            del options[at : at + 2]
    return options
