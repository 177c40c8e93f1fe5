"""In which order an installation flushes: what a loss of power may leave follows from that."""

import functools
from collections.abc import Callable, Iterator

import pytest

from faults.client import Tracer, running
from faults.scenarios import SCENARIOS, Prepared

FLUSHES = ("fsync", "fdatasync", "syncfs", "sync")


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with running() as tracer:
        yield tracer


@pytest.fixture(scope="module")
def prepared(tracer: Tracer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prepared]:
    """Returns a scenario that is ready to be disturbed; each is prepared once."""

    @functools.cache
    def prepare(name: str) -> Prepared:
        return SCENARIOS[name].prepare(tracer, tmp_path_factory.mktemp("scenario") / "site")

    return prepare


def first(calls: list[str], name: str, path: str, after: int = 0) -> int:
    """Return the number of the first such call after another; a path is told by its end."""
    numbered = enumerate(calls[after:], start=after)
    return next(n for n, call in numbered if call.startswith(f"{name} ") and call.endswith(path))


def in_order(calls: list[str], *steps: tuple[str, str]) -> None:
    """Check that there are such calls, in this order."""
    at = 0
    for name, path in steps:
        at = first(calls, name, path, at) + 1


def test_environment_is_on_the_disk_before_it_is_swapped_in(
    prepared: Callable[[str], Prepared],
) -> None:
    calls = prepared("managed: upgrade").calls
    flushed = first(calls, "syncfs", "env.wheelferry/staging")
    assert not any("/staging/" in call for call in calls[flushed:])
    in_order(
        calls[flushed:],
        ("fsync", "/journal.json.unfinished"),
        ("rename", "/journal.json.unfinished"),
        ("fsync", "/env.wheelferry"),
        ("renameat2", "/env.wheelferry/staging"),
        ("fsync", "/work"),
        ("fsync", "/env.wheelferry"),
        ("unlink", "/journal.json"),
    )


def test_journal_is_on_the_disk_before_the_tree_changes(
    prepared: Callable[[str], Prepared],
) -> None:
    calls = prepared("into: upgrade").calls
    flushed = first(calls, "syncfs", "/.wheelferry")
    assert not any("/staging/" in call for call in calls[flushed:])
    begun = first(calls, "rename", "/.wheelferry/staging", flushed)
    durable = first(calls, "fsync", "/.wheelferry", begun)
    changed = [
        number
        for number, call in enumerate(calls)
        if call.startswith(("rename ", "mkdir ", "rmdir "))
        and ("/env/lib/" in call or "/applying/new/" in call)
        and "/staging/" not in call
    ]
    settled = first(calls, "syncfs", "/.wheelferry", durable)
    committed = first(calls, "rename", "/.wheelferry/applying", settled)
    assert durable < min(changed)
    assert max(changed) < settled < committed < first(calls, "fsync", "/.wheelferry", committed)


@pytest.mark.parametrize("name", ["managed: upgrade", "into: upgrade"])
def test_nothing_is_flushed_where_that_is_not_wanted(
    name: str, prepared: Callable[[str], Prepared]
) -> None:
    ready = prepared(name)
    ready.site.restore("before")
    calls = ready.site.run((*ready.scenario.command, "--no-sync")).calls
    assert [call for call in calls if call.split()[0] in FLUSHES] == []
