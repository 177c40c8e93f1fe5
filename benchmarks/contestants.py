"""Who does what: each job, wheelferry's way and other people's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Commands, Contestant
from benchmarks.wheel_set import PROGRAMS, PYTHON, WheelSet

CREATE = "`bundle create`"
PIP_CREATE = "`pip download` + `tar --zstd -c`"
INSTALL = "`bundle install`"
INSTALL_UNSYNCED = "`bundle install --no-sync`"
INSTALL_COMPILED = "`bundle install --no-sync --compile`"
UV = "untar + `uv venv` + `uv pip install`"
UV_COMPILED = "untar + `uv venv` + `uv pip install --compile-bytecode`"
UV_SYNCED = f"{UV} + `sync -f`"
PIP = "untar + `venv` + `pip install --no-compile`"
PIP_COMPILED = "untar + `venv` + `pip install`, which compiles"
TREE = "`tar --zstd -x` of the finished tree"
VERIFY = "`bundle verify`"
SHA256SUM = "`sha256sum` of the wheels"
HELP = "`bundle --help`"
VERIFY_ONE = "`bundle verify` of one small wheel"

_BUNDLE = str(PROGRAMS / "bundle")
_UV = str(PROGRAMS / "uv")
_PIP = (sys.executable, "-m", "pip")
_QUIET_PIP = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")


def creating(wheels: WheelSet) -> list[Contestant]:
    """Return the ways from a lock and a folder of wheels to one archive."""

    def pip(folder: Path) -> Commands:
        downloads = str(folder / "downloads")
        return [
            (
                *(*_PIP, "download", *_QUIET_PIP, "--find-links", str(wheels.wheels)),
                *("-r", str(wheels.pins), "-d", downloads),
            ),
            ("tar", "--zstd", "-cf", str(folder / "downloads.tar.zst"), "-C", downloads, "."),
        ]

    def ours(folder: Path) -> Commands:
        output = str(folder / "bundle.tar.zst")
        project = str(wheels.project)
        return [(_BUNDLE, "create", project, "--python", PYTHON, "--quiet", "-o", output)]

    return [Contestant(CREATE, ours), Contestant(PIP_CREATE, pip)]


def installing(wheels: WheelSet, tree: Path, *, compiled: bool) -> list[Contestant]:
    """Return the ways from an archive to an environment; `tree` is a packed environment.

    Those that compile all modules take long, and are `compiled` ones only where asked for.
    """

    def ours(folder: Path) -> Commands:
        return [(_BUNDLE, "install", str(wheels.bundle), "-q", "--venv", str(folder / "venv"))]

    def unpacked(folder: Path) -> Sequence[str]:
        return ("tar", "--zstd", "-xf", str(wheels.bundle), "-C", str(folder))

    def uv(folder: Path) -> Commands:
        cold = (_UV, "--quiet", "--offline", "--cache-dir", str(folder / "cache"))
        venv = str(folder / "venv")
        return [
            unpacked(folder),
            (*cold, "venv", "--python", sys.executable, venv),
            (
                *(*cold, "pip", "install", "--python", venv, "--no-index", "--no-deps"),
                *("--find-links", str(folder / "wheels"), "-r", str(wheels.pins)),
            ),
        ]

    def uv_synced(folder: Path) -> Commands:
        return [*uv(folder), ("sync", "-f", str(folder))]

    def pip(folder: Path) -> Commands:
        venv = str(folder / "venv")
        return [
            unpacked(folder),
            (sys.executable, "-m", "venv", "--without-pip", venv),
            (
                *(*_PIP, "--python", venv, "install", *_QUIET_PIP),
                *("--find-links", str(folder / "wheels"), "-r", str(wheels.pins)),
            ),
        ]

    def untar(folder: Path) -> Commands:
        return [("tar", "--zstd", "-xf", str(tree), "-C", str(folder))]

    return [
        Contestant(INSTALL_UNSYNCED, _with(ours, "--no-sync")),
        Contestant(INSTALL, ours),
        Contestant(UV, uv),
        Contestant(UV_SYNCED, uv_synced),
        *(
            [Contestant(INSTALL_COMPILED, _with(ours, "--no-sync", "--compile"))]
            if compiled
            else ()
        ),
        *([Contestant(UV_COMPILED, _with(uv, "--compile-bytecode"))] if compiled else ()),
        Contestant(PIP, _with(pip, "--no-compile")),
        Contestant(PIP_COMPILED, pip),
        Contestant(TREE, untar),
    ]


def _with(way: Callable[[Path], Commands], *options: str) -> Callable[[Path], Commands]:
    """Return a way whose last command has more options."""

    def changed(folder: Path) -> Commands:
        *before, last = way(folder)
        return [*before, (*last, *options)]

    return changed


def verifying(wheels: WheelSet) -> list[Contestant]:
    """Return the ways of hashing all wheels."""
    files = sorted(str(path) for path in wheels.wheels.iterdir())
    return [
        Contestant(VERIFY, lambda _: [(_BUNDLE, "verify", "--quiet", str(wheels.bundle))]),
        Contestant(SHA256SUM, lambda _: [("sha256sum", *files)]),
    ]


def starting(one: WheelSet) -> list[Contestant]:
    """Return commands that have next to nothing to do."""
    return [
        Contestant(HELP, lambda _: [(_BUNDLE, "--help")]),
        Contestant(VERIFY_ONE, lambda _: [(_BUNDLE, "verify", str(one.bundle))]),
    ]
