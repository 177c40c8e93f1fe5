"""`make faults`: every scenario, with every fault at every system call that changes files.

Prints one line for each scenario and kind of fault: how many calls, how often the old and how
often the new state was found. Anything else is a failure, told of with the number of the call.

    python -m faults.exhaustive [--only TEXT] [--do KIND]... [--step N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from faults.client import Fault, running
from faults.scenarios import SCENARIOS

KINDS = ("kill", "orphan", "TERM", "INT", "ENOSPC", "EIO", "EROFS", "EROFS on")


def run(name: str, kinds: Sequence[str], step: int) -> tuple[str, list[str], int]:
    """Run a scenario with all faults of these kinds; returns lines to print, and failures."""
    lines, failures = [], []
    points = 0
    # Flushing a real disk takes its time, and makes no other calls than flushing memory.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="faults-", dir=memory) as folder, running() as tracer:
        prepared = SCENARIOS[name].prepare(tracer, Path(folder) / "site")
        for kind in kinds:
            what, _, on = kind.partition(" ")
            found: Counter[str] = Counter()
            for at in range(1, len(prepared.calls) + 1, step):
                points += 1
                try:
                    found[prepared.disturb(Fault(at=at, do=what, on=bool(on)))] += 1
                except AssertionError as error:
                    failures.append(f"{name}, {kind} at {at} {prepared.calls[at - 1]}: {error}")
            lines.append(
                f"{name:60} {kind:9} {sum(found.values()):4} calls: "
                f"{found['old']:4} old {found['new']:4} new"
            )
    return "\n".join(lines), failures, points


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--do", action="append", choices=KINDS)
    parser.add_argument("--step", type=int, default=1)
    arguments = parser.parse_args()
    names = [name for name in SCENARIOS if arguments.only in name]
    total, failed = 0, 0
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [pool.submit(run, name, arguments.do or KINDS, arguments.step) for name in names]
        for job in as_completed(jobs):
            text, failures, points = job.result()
            total += points
            failed += len(failures)
            _say("\n".join((text, *failures)))
    _say(f"{total} faults, {failed} of them left something else than the old or the new state")
    sys.exit(failed > 0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
