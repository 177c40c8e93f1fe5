"""Says in Markdown what was measured: the tables of RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import contestants as ways
from benchmarks.records import Circumstances, Comparison, Growth, Hostile, Matrix, Selections

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
JOBS = ("create", "verify", "install")


def comparison(record: Comparison) -> Iterator[str]:
    """Yield the lines of the tables of one set of wheels."""
    yield _said(
        record.circumstances,
        f"{record.wheels} wheels of {_megabytes(record.wheels_size)}, unpacked "
        f"{record.tree.files:,} files of {_megabytes(record.tree.size)}; "
        f"medians of {record.rounds} interleaved runs",
    )
    yield ""
    yield "| job | wheelferry | s | against | s | time ratio | CPU ratio |"
    yield "|---|---|---:|---|---:|---:|---:|"
    for job, ours, theirs in _PAIRS:
        if ours not in record.timings:
            continue
        mine, other = record.timings[ours], record.timings[theirs]
        yield (
            f"| {job} | {ours} | {mine.elapsed:.2f} | {theirs} | {other.elapsed:.2f} "
            f"| **{mine.elapsed / other.elapsed:.2f}** | {mine.cpu / other.cpu:.2f} |"
        )
    yield ""
    yield "| peak memory | wheelferry | others |"
    yield "|---|---:|---|"
    for job, ours, others in _MEMORY:
        said = ", ".join(f"{name} {_mebibytes(record.memory[name])}" for name in others)
        yield f"| {job} | **{_mebibytes(record.memory[ours])}** | {said} |"
    yield ""
    ratio = record.archive_size / record.wheels_size
    yield (
        f"The archive has {_megabytes(record.archive_size)}, **{ratio:.3f}** of the sum of its "
        "wheels. CPU time to start: "
        + ", ".join(f"{name} {record.timings[name].cpu:.2f} s" for name in _START_UP)
        + "."
    )


def growth(record: Growth) -> Iterator[str]:
    """Yield the lines of the tables of growth."""
    yield _said(record.circumstances, f"medians of {record.rounds} interleaved runs")
    yield ""
    yield "| | " + " | ".join(JOBS) + " |"
    yield "|---" + "|---:" * len(JOBS) + "|"
    for size in record.sizes:
        if size.seconds:
            yield f"| {size.name} | " + " | ".join(f"{size.seconds[j]:.2f} s" for j in JOBS) + " |"
    yield ""
    yield "| peak memory | " + " | ".join(JOBS) + " |"
    yield "|---" + "|---:" * len(JOBS) + "|"
    for size in record.sizes:
        yield f"| {size.name} | " + " | ".join(_mebibytes(size.memory[j]) for j in JOBS) + " |"


def selections(record: Selections) -> Iterator[str]:
    """Yield the lines of the table of selecting."""
    yield _said(record.circumstances, f"a lock of {_megabytes(record.lock_size)}; CPU seconds")
    yield ""
    yield "| select for | promised | reading and selecting | whole command |"
    yield "|---|---:|---:|---:|"
    for case in record.cases:
        yield f"| {case.name} | {case.promised:.1f} | {case.inside:.2f} | {case.whole:.2f} |"


def matrix(record: Matrix) -> Iterator[str]:
    """Yield what one bundle for a matrix takes, and where pip's answer differs."""
    yield _said(
        record.circumstances,
        f"{record.pins} pinned packages, {record.targets} targets, cold caches, "
        f"medians of {record.rounds} runs",
    )
    yield ""
    yield (
        f"`pip download` in a loop {record.pip:.1f} s, one `bundle create` "
        f"{record.wheelferry:.1f} s: pip takes **{record.pip / record.wheelferry:.1f} times** as long."
    )
    for difference in record.differences:
        yield f"- {difference}"


def hostile(record: Hostile) -> Iterator[str]:
    """Yield the lines of the table of hostile input."""
    accepted = {tool: found.get("accepted", 0) for tool, found in record.outcomes.items()}
    inputs = sum(tried for tried, _ in record.families.values())
    through = sum(taken for _, taken in record.families.values())
    tried, changed = record.bits
    yield _said(record.circumstances, "inputs with one thing wrong each")
    yield ""
    yield "| inputs | pip | uv | wheelferry |"
    yield "|---|---:|---:|---:|"
    yield (
        f"| {record.wheels} wheels: ZIP, names, RECORD, `.data`, scripts, collisions "
        f"| {accepted['pip']} accepted | {accepted['uv']} accepted "
        f"| **{accepted['wheelferry']} accepted** |"
    )
    yield f"| {inputs:,} of: {', '.join(record.families)} | | | **{through} accepted** |"
    yield (
        f"| {tried:,} single flipped bits of a small bundle "
        f"| | | **{changed}** change what is installed |"
    )


def _said(circumstances: Circumstances, what: str) -> str:
    return (
        f"`{circumstances.command}`, {circumstances.date}, {circumstances.host} (load "
        f"{circumstances.load:.1f} when it began), {circumstances.tools}: {what}."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else "below 1 MiB"
