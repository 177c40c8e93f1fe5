"""Counts which hostile inputs pip, uv and wheelferry accept: `python -m benchmarks.hostile_input`.

The inputs are the vectors of tests/vectors, controls left out, and every single flipped bit of a
small bundle. pip and uv are asked to install the wheels alone, which is what they could be given;
for bundles, signatures and manifests they have no counterpart. Nothing that was installed is run.

A tool accepts what it ends with exit code 0 on. That need not be a weakness of the tool: pip and uv
trust whoever they have a wheel from, and some rules concern file systems that this host lacks.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from benchmarks import records, report
from benchmarks.records import Hostile
from benchmarks.surroundings import circumstances
from hostile import test_bit_flips as flips
from hostile.runner import Runner
from support.making.bundles import make_bundle
from vectors.generate import FAMILIES
from vectors.good_bundle import BUNDLE, SIGNERS, alice, trusting
from vectors.vector import WheelVector
from vectors.wheels import wheel_vectors

_SECONDS = 10
_FILE_SIZE = 2**31
_ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
_PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps")


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    records.add_option(parser)
    name = parser.parse_args().record
    said = circumstances()
    with tempfile.TemporaryDirectory(prefix="wheelferry-hostile-") as place:
        folder = Path(place)
        runner = Runner(folder)
        try:
            hostile = [vector for vector in wheel_vectors() if vector.code]
            record = Hostile(
                circumstances=said,
                wheels=len(hostile),
                outcomes=_outcomes(hostile, folder / "wheels", runner),
                families=dict(_families(folder / "others", runner)),
                bits=_flipped(folder / "others"),
            )
        finally:
            runner.close()
    records.write(name, record)
    print("\n".join(report.hostile(record)))


def _outcomes(
    hostile: Sequence[WheelVector], folder: Path, runner: Runner
) -> dict[str, Counter[str]]:
    """Return by tool how many wheels it accepted, refused, or did not get done with."""
    counts: dict[str, Counter[str]] = {}
    for vector in hostile:
        for tool, outcome in _tried(vector, folder, runner):
            counts.setdefault(tool, Counter())[outcome] += 1
            if outcome != "refused":
                print(f"{tool} {outcome}: {vector.name}", file=sys.stderr)
    return counts


def _tried(vector: WheelVector, folder: Path, runner: Runner) -> Iterator[tuple[str, str]]:
    wheels = vector.wheels()
    # Deep, so that what leads out of the target by a few steps stays in this folder.
    place = folder / "a/b/c/d/e"
    paths = [str(wheel.write(place / "wheels")) for wheel in wheels]
    target = ("--target", str(place / "target"))
    uv_options = ("--offline", "--no-index", "--no-deps", "--python", sys.executable, "--no-config")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    commands = {
        "pip": [sys.executable, *_PIP, "--no-compile", "--no-cache-dir", *target, *paths],
        "uv": [uv, "pip", "install", "--no-cache", *uv_options, *target, *paths],
    }
    for tool, command in commands.items():
        yield tool, _outcome(command, place)
        shutil.rmtree(place / "target", ignore_errors=True)
    bundle = make_bundle(place / "made.tar.zst", wheels, keys=[alice()]).read_bytes()
    shutil.rmtree(folder)
    files = {BUNDLE: bundle, SIGNERS: trusting(alice())}
    code = _exit_code("install", files, (), folder, runner)
    if code != vector.code:
        print(f"wheels/{vector.name}: exit code {code}", file=sys.stderr)
    yield "wheelferry", "refused" if code else "accepted"


def _outcome(command: list[str], place: Path) -> str:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_SIZE, _FILE_SIZE))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS + 1))

    run = subprocess.run(
        command,
        cwd=place,
        env={**_ENV, "HOME": str(place), "XDG_STATE_HOME": str(place / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        preexec_fn=limit,
    )
    if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "not done"
    return "refused" if run.returncode else "accepted"


def _families(folder: Path, runner: Runner) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield of each family how many hostile inputs it has, and how many were accepted."""
    for family, make in FAMILIES.items():
        hostile = [vector for vector in make() if vector.code]
        accepted = 0
        for vector in hostile:
            command = "create" if family == "locks" else "install"
            code = _exit_code(command, vector.files(), vector.options, folder, runner)
            accepted += code == 0
            if code != vector.code:
                print(f"{family}/{vector.name}: exit code {code}", file=sys.stderr)
        yield family, (len(hostile), accepted)


def _exit_code(
    command: str,
    files: Mapping[str, bytes],
    options: tuple[str, ...],
    folder: Path,
    runner: Runner,
) -> int:
    """Return the exit code of `bundle install`, or of `bundle create`, on these files."""
    place = folder / "place"
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
        (place / name).chmod(0o644)
    arguments = [command, *options]
    if command == "install":
        arguments += [BUNDLE, "--allowed-signers", str(place / SIGNERS), "--no-sync"]
    code = runner.run(
        *arguments,
        cwd=place,
        env={**_ENV, "HOME": str(place), "XDG_STATE_HOME": str(place / "state")},
    ).code
    shutil.rmtree(folder)
    return code


def _flipped(folder: Path) -> tuple[int, int]:
    folder.mkdir(parents=True)
    path = folder / "flipped.tar.zst"
    bundle = flips._small_bundle()  # noqa: SLF001 - the test of the same
    path.write_bytes(bundle)
    good = flips._read(path)  # noqa: SLF001
    changed = 0
    for bit in range(8 * len(bundle)):
        flipped = bytearray(bundle)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        changed += flips._read(path) not in (None, good)  # noqa: SLF001
    return 8 * len(bundle), changed


if __name__ == "__main__":
    main()
