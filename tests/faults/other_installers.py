"""The second half of `make faults`: what pip and uv leave when they are killed during an upgrade.

A package of 200 files is upgraded, killed at calls spread over the run, and the environment
compared: is it the old one, the new one, or a mixture? Then the same command is run once more. And
the same is done with wheelferry.

    python -m faults.other_installers [--points N]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from faults.client import NO_FAULT, Fault, Tracer, running
from support.making.bundles import make_bundle, make_key, trust
from support.making.wheels import make_wheel
from support.running.command import tree

FILES = 200
_BIN = Path(sys.executable).parent


def _commands(folder: Path) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return for each tool how it makes an environment, installs 1.0, and upgrades to 2.0."""
    wheels = ("--no-index", "--find-links", str(folder / "wheels"))
    pip = (str(_BIN / "python"), "-m", "pip", "--python", "env/bin/python", "install", "-q")
    uv = (str(_BIN / "uv"), "pip", "install", "-q", "--offline", "--python", "env/bin/python")
    ours = ("--allowed-signers", str(folder / "allowed_signers"), "-q")
    make = (str(_BIN / "python"), "-m", "venv", "--without-pip", "env")
    bundles = [("bundle", "install", str(folder / f"{n}.0.tar.zst"), *ours) for n in (1, 2)]
    return {
        "pip": (make, *((*pip, "--no-compile", *wheels, f"many=={n}.0") for n in (1, 2))),
        "uv": (make, *((*uv, *wheels, f"many=={n}.0") for n in (1, 2))),
        "wheelferry": (*((*bundle, "--venv", "env") for bundle in bundles),),
        "wheelferry --into": (make, *((*bundle, "--into", "env") for bundle in bundles)),
    }


def _packages(work: Path) -> dict[str, bytes]:
    """Return the files of packages, with what differs from run to run left out."""
    return {
        path.partition("site-packages/")[2]: content
        for path, (kind, _, content) in tree(work / "env").items()
        if kind == "file" and "site-packages/" in path and "uv_cache" not in path
        if "__pycache__" not in path and not path.startswith("wheelferry/")
    }


def try_tool(
    tracer: Tracer, folder: Path, commands: tuple[tuple[str, ...], ...], points: int
) -> str:
    """Kill a tool at many points of an upgrade; returns a line that tells what was left."""
    work, saved = folder / "work", folder / "saved"
    for leftover in (work, saved):
        shutil.rmtree(leftover, ignore_errors=True)
    work.mkdir()
    *before, upgrade = commands
    for command in before:
        ran = tracer.run(command, work, NO_FAULT)
        assert ran.code == 0, ran.err
    old = _packages(work)
    shutil.copytree(work, saved, symlinks=True)
    calls = tracer.run(upgrade, work, NO_FAULT).calls
    new = _packages(work)
    assert old != new
    found: Counter[str] = Counter()
    chosen = sorted({1 + len(calls) * point // points for point in range(points)})
    for at in chosen:
        shutil.rmtree(work)
        shutil.copytree(saved, work, symlinks=True)
        tracer.run(upgrade, work, Fault(at=at, do="kill"))
        left = _packages(work)
        found["old" if left == old else "new" if left == new else "mixed"] += 1
        found["lying"] += left != new and any(path.startswith("many-2.0.dist") for path in left)
        again = tracer.run(upgrade, work, NO_FAULT)
        found["mended"] += _packages(work) == new and again.code == 0
    return (
        f"{len(chosen):3} kills: {found['old']:3} old, {found['new']:3} new, "
        f"{found['mixed']:3} mixed, of which {found['lying']:3} say that they are the new version; "
        f"the same command again mends all but {len(chosen) - found['mended']}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=200)
    points = parser.parse_args().points
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory("-faults", dir=memory)))
        os.environ["UV_CACHE_DIR"] = str(folder / "uv-cache")
        tracer = stack.enter_context(running())
        key = make_key()
        trust(folder / "allowed_signers", key)
        for version in ("1.0", "2.0"):
            # Half of the files are the same names with other content, half have other names.
            files = {
                f"many/{'both' if number % 2 else version}{number}.py": version.encode()
                for number in range(FILES)
            }
            wheel = make_wheel("many", version, files=files)
            wheel.write(folder / "wheels")
            make_bundle(folder / f"{version}.tar.zst", [wheel], keys=[key])
        for tool, commands in _commands(folder).items():
            sys.stdout.write(f"{tool:18} {try_tool(tracer, folder, commands, points)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
