"""Compares wheelferry with pip, uv and tar: `python -m benchmarks.comparison --help`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import contestants, records, report, wheel_set
from benchmarks.measure import Arena, Timings
from benchmarks.records import Comparison, Tree
from benchmarks.surroundings import (
    circumstances,
    compile_sources,
    contestants_variables,
    own_variables,
)
from benchmarks.wheel_set import PROGRAMS, WheelSet

_START_UP_RUNS = 5


def main() -> None:
    """Run the benchmark from the command line."""
    arguments = _arguments()
    work: Path = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    record = measure(work, rounds=arguments.runs, name=arguments.name)
    records.write(arguments.record, record)
    if arguments.json:
        print(json.dumps(records.plain(record), indent=2))
    else:
        print("\n".join(report.comparison(record)))


def measure(work: Path, *, rounds: int, name: str) -> Comparison:
    """Make the wheel set and let all contestants work on it, in turns."""
    said = circumstances()
    compile_sources()
    making, running = own_variables(work), contestants_variables(work)
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
    return Comparison(
        circumstances=said,
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
        help="which wheels (%(default)s); pure: many small ones; quick: a few, to try the script",
    )
    parser.add_argument("--json", action="store_true", help="print all measurements as JSON")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(__file__).parent / "work",
        help="where everything is read and written; its disk is what is measured (%(default)s)",
    )
    records.add_option(parser)
    return parser.parse_args()


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


if __name__ == "__main__":
    main()
