"""Runs all contestants and puts what was measured together."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import contestants, wheel_set
from benchmarks.measure import Arena, Timings
from benchmarks.report import Results, Tree, markdown
from benchmarks.wheel_set import PROGRAMS, PYTHON, WheelSet

_START_UP_RUNS = 5
# Settings of this host's pip and uv must not decide what they do here.
_FOREIGN = ("PIP_", "UV_", "VIRTUAL_ENV", "SOURCE_DATE_EPOCH")


def main() -> None:
    """Run the benchmark from the command line."""
    arguments = _arguments()
    work: Path = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    results = measure(work, rounds=arguments.runs, name=arguments.name)
    table = markdown(results)
    (work / "results.md").write_text(table, encoding="utf-8")
    print(json.dumps(asdict(results), indent=2) if arguments.json else table, end="")


def measure(work: Path, *, rounds: int, name: str) -> Results:
    """Make the wheel set and let all contestants work on it, in turns."""
    load, _, _ = os.getloadavg()
    making, running = _environments(work)
    _tell("making the wheel set")
    wheels = wheel_set.make(work / name, wheel_set.SETS[name], making)
    one = wheel_set.make(work / "one", wheel_set.SETS["one"], making)
    packed = work / name / "environment.tar.zst"
    with TemporaryDirectory(dir=work, prefix="runs-") as folder:
        tree = _pack_finished(wheels, Path(folder) / "finished", packed, running)
        arena = Arena(Path(folder), running)
        jobs = [
            contestants.creating(wheels),
            contestants.installing(wheels, packed, compiled=name == "pure"),
            contestants.verifying(wheels),
        ]
        # The first run of each is for its memory, and for the files to be in the page cache.
        memory = {}
        for contestant in (contestant for job in jobs for contestant in job):
            _tell(f"peak memory of {contestant.name}")
            memory[contestant.name] = arena.peak_memory(contestant)
        timings: dict[str, Timings] = {}
        for job in jobs:
            _tell(f"{rounds} rounds of: {', '.join(contestant.name for contestant in job)}")
            timings |= arena.interleaved(job, rounds)
        timings |= arena.interleaved(contestants.starting(one), max(rounds, _START_UP_RUNS))
    return Results(
        date=datetime.now(timezone.utc).date().isoformat(),
        command="make bench" if len(sys.argv) == 1 else " ".join(["python", *sys.argv]),
        host=f"{os.uname().sysname} {os.uname().machine}, {len(os.sched_getaffinity(0))} CPUs",
        load=load,
        tools=f"Python {PYTHON}, uv {version('uv')}, pip {version('pip')}",
        rounds=rounds,
        wheels=wheels.count,
        wheels_size=wheels.size,
        archive_size=wheels.bundle.stat().st_size,
        tree=tree,
        timings=timings,
        memory=memory,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=5, help="rounds; medians are taken (%(default)s)"
    )
    parser.add_argument(
        "--set",
        dest="name",
        choices=("full", "pure", "quick"),
        default="full",
        help="which wheels (%(default)s); pure: many small ones",
    )
    parser.add_argument(
        "--quick",
        dest="name",
        action="store_const",
        const="quick",
        help="the same as --set quick: a few wheels, to see that the script works",
    )
    parser.add_argument("--json", action="store_true", help="print all measurements as JSON")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(__file__).parent / "work",
        help="where everything is read and written; its disk is what is measured (%(default)s)",
    )
    return parser.parse_args()


def _environments(work: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables for making the set, and those for the contestants."""
    temporary = work / "temporary"
    temporary.mkdir(exist_ok=True)
    making = {
        **os.environ,
        "XDG_CONFIG_HOME": str(work / "config"),
        "XDG_STATE_HOME": str(work / "state"),
        "WHEELFERRY_CACHE_DIR": str(work / "wheelferry-cache"),
    }
    running = {
        **{name: value for name, value in making.items() if not name.startswith(_FOREIGN)},
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "TMPDIR": str(temporary),
    }
    return making, running


def _pack_finished(
    wheels: WheelSet, finished: Path, packed: Path, environment: dict[str, str]
) -> Tree:
    """Install the set and pack the environment, for those who unpack nothing else."""
    install: Sequence[str | Path] = [PROGRAMS / "bundle", "install", wheels.bundle, "--quiet"]
    subprocess.run([*install, "--venv", finished], env=environment, check=True)
    subprocess.run(["tar", "--zstd", "-cf", packed, "-C", finished, "."], check=True)
    sizes = [
        os.lstat(os.path.join(folder, file)).st_size
        for folder, _, files in os.walk(finished)
        for file in files
    ]
    return Tree(files=len(sizes), size=sum(sizes))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
