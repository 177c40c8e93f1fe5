"""What the benchmarks measure, as JSON in `results`; tables and plots are made from that."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchmarks.measure import Timings

FOLDER = Path(__file__).parent / "results"
_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When, how and on what it was measured; `load` is what else the host had to do."""

    date: str
    command: str
    host: str
    load: float
    tools: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The finished environment: how many files it has, and their size in bytes."""

    files: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """wheelferry against pip, uv and tar. `timings` and `memory` (bytes) are by contestant."""

    circumstances: Circumstances
    rounds: int
    wheels: int
    wheels_size: int
    archive_size: int
    tree: Tree
    timings: Mapping[str, Timings]
    memory: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Wheels of one number: seconds and peak memory in bytes by job; a large one has no times."""

    name: str
    wheels: int
    seconds: Mapping[str, float]
    memory: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What grows with the number of wheels, and what does not."""

    circumstances: Circumstances
    rounds: int
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selecting:
    """CPU seconds that choosing takes: reading and selecting alone, and the whole command."""

    name: str
    promised: float
    inside: float
    whole: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Selections:
    """Selecting from one lock, for one target and for many."""

    circumstances: Circumstances
    lock_size: int
    cases: tuple[Selecting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One bundle for many targets against `pip download` in a loop, in seconds."""

    circumstances: Circumstances
    rounds: int
    pins: int
    targets: int
    pip: float
    wheelferry: float
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """How many hostile inputs were accepted: wheels by tool, others by family, and flipped bits."""

    circumstances: Circumstances
    wheels: int
    outcomes: Mapping[str, Mapping[str, int]]
    families: Mapping[str, tuple[int, int]]
    bits: tuple[int, int]


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark's command line say where its record goes."""
    parser.add_argument(
        "--record", metavar="NAME", help="write all that was measured to results/NAME.json as well"
    )


def write(name: str | None, record: object) -> None:
    """Write a record; without a name do nothing."""
    if name is not None:
        FOLDER.mkdir(exist_ok=True)
        data = msgspec.json.format(msgspec.json.encode(record), indent=2)
        (FOLDER / f"{name}.json").write_bytes(data + b"\n")


def read(name: str, kind: type[_Record]) -> _Record | None:
    """Return a record, None where nothing was measured yet."""
    path = FOLDER / f"{name}.json"
    return msgspec.json.decode(path.read_bytes(), type=kind) if path.is_file() else None


def plain(record: object) -> Any:
    """Return a record as `json.dumps` takes it."""
    return msgspec.to_builtins(record)
