"""Says in Markdown what was measured: the tables of RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import contestants as ways
from benchmarks.measure import Timings

_PAIRS = (
    ("create, wheels in the cache", ways.CREATE, ways.PIP_CREATE),
    ("install", ways.INSTALL_UNSYNCED, ways.UV),
    ("", ways.INSTALL_UNSYNCED, ways.PIP),
    ("", ways.INSTALL_UNSYNCED, ways.PIP_COMPILED),
    ("", ways.INSTALL_UNSYNCED, ways.TREE),
    ("install, flushed to the disk", ways.INSTALL, ways.UV_SYNCED),
    ("", ways.INSTALL, ways.UV),
    ("install and compile", ways.INSTALL_COMPILED, ways.UV_COMPILED),
    ("", ways.INSTALL_COMPILED, ways.PIP_COMPILED),
    ("verify", ways.VERIFY, ways.SHA256SUM),
)
_MEMORY = (
    ("create", ways.CREATE, (ways.PIP_CREATE,)),
    ("install", ways.INSTALL_UNSYNCED, (ways.UV, ways.PIP, ways.TREE)),
    ("verify", ways.VERIFY, (ways.SHA256SUM,)),
)
_START_UP = (ways.HELP, ways.VERIFY_ONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The finished environment: how many files it has, and their size in bytes."""

    files: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What one run of the benchmark found. `timings` and `memory` are by contestant.

    `load` is what else the host had to do.
    """

    date: str
    command: str
    host: str
    load: float
    tools: str
    rounds: int
    wheels: int
    wheels_size: int
    archive_size: int
    tree: Tree
    timings: dict[str, Timings]
    memory: dict[str, int]


def markdown(results: Results) -> str:
    """Return all tables, with what they were measured on and how."""
    return "\n".join((*_lines(results),)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield (
        f"`{results.command}`, {results.date}, {results.host} (load {results.load:.1f} when it "
        f"began), {results.tools}: "
        f"{results.wheels} wheels of {_megabytes(results.wheels_size)}, unpacked "
        f"{results.tree.files:,} files of {_megabytes(results.tree.size)}; "
        f"medians of {results.rounds} interleaved runs."
    )
    yield ""
    yield "| job | wheelferry | s | against | s | time ratio | CPU ratio |"
    yield "|---|---|---:|---|---:|---:|---:|"
    for job, ours, theirs in _PAIRS:
        if ours not in results.timings:
            continue
        mine, other = results.timings[ours], results.timings[theirs]
        yield (
            f"| {job} | {ours} | {mine.elapsed:.2f} | {theirs} | {other.elapsed:.2f} "
            f"| **{mine.elapsed / other.elapsed:.2f}** | {mine.cpu / other.cpu:.2f} |"
        )
    yield ""
    yield "| peak memory | wheelferry | others |"
    yield "|---|---:|---|"
    for job, ours, others in _MEMORY:
        said = ", ".join(f"{name} {_mebibytes(results.memory[name])}" for name in others)
        yield f"| {job} | **{_mebibytes(results.memory[ours])}** | {said} |"
    yield ""
    ratio = results.archive_size / results.wheels_size
    yield (
        f"The archive has {_megabytes(results.archive_size)}, **{ratio:.3f}** of the sum of its "
        "wheels. CPU time to start: "
        + ", ".join(f"{name} {results.timings[name].cpu:.2f} s" for name in _START_UP)
        + "."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else "below 1 MiB"
