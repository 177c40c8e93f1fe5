"""A sample of what `make faults` does at every system call, in every scenario."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.client import Fault, Tracer, running
from faults.scenarios import SCENARIOS, Prepared

SAMPLED = {
    "managed: install": 6,
    "managed: install with the Python of the bundle": 12,
    "managed: upgrade": 8,
    "managed: upgrade without exchange": 6,
    "managed: rollback": 6,
    "managed: uninstall": 4,
    "managed: recovery from upgrade killed at fsync work": 4,
    "into: install": 6,
    "into: upgrade": 10,
    "into: rollback": 8,
    "into: uninstall": 4,
    "into: recovery from upgrade killed at rename applying/new": 8,
    "target: upgrade": 4,
}
"""How many calls of each scenario something happens at."""
KINDS = ("kill", "ENOSPC", "EIO", "EROFS", "TERM", "INT", "orphan", "EROFS on")


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with running() as tracer:
        yield tracer


def spread(prepared: Prepared, number: int) -> list[Fault]:
    """Return faults at calls from the first to the last, more of them where the change is made."""
    last = len(prepared.calls)
    # The end of a run is where it counts: half of the sample is its last tenth.
    early = [1 + last * step // number for step in range(0, number, 2)]
    late = [last - last * step // (10 * number) for step in range(0, number, 2)]
    faults = []
    for place, at in enumerate(sorted(early + late)):
        what, _, on = KINDS[place % len(KINDS)].partition(" ")
        faults.append(Fault(at=at, do=what, on=bool(on)))
    return faults


@pytest.mark.parametrize("name", SAMPLED)
def test_whatever_fails_the_old_or_the_new_state_is_left(
    name: str, tracer: Tracer, tmp_path: Path
) -> None:
    prepared = SCENARIOS[name].prepare(tracer, tmp_path / "site")
    problems = []
    for fault in spread(prepared, SAMPLED[name]):
        try:
            prepared.disturb(fault)
        except AssertionError as error:
            problems.append(f"{fault} {prepared.calls[fault.at - 1]}: {error}")
    assert problems == []


@pytest.mark.parametrize("mode", ["managed", "into", "target"])
def test_sample_would_find_a_half_done_installation(
    mode: str, tracer: Tracer, tmp_path: Path
) -> None:
    prepared = SCENARIOS[f"{mode}: upgrade"].prepare(tracer, tmp_path / "site")
    module = next(prepared.site.work.rglob("changing/__init__.py"))
    module.write_text("half done")
    assert "neither old nor new" in prepared.state()


def test_python_of_the_bundle_is_part_of_what_is_compared(tracer: Tracer, tmp_path: Path) -> None:
    name = "managed: install with the Python of the bundle"
    prepared = SCENARIOS[name].prepare(tracer, tmp_path / "site")
    (_, _), (installed, _) = prepared.ends
    assert "wheelferry/python/bin/python3" in installed
    assert any("staging/wheelferry/python/lib" in call for call in prepared.calls)
