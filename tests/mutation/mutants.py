"""Changes the verification modules in every small way, and tells how many changes the tests notice.

`make mutants` runs this with mutmut at hand. Changes of text alone are left out, since texts are
for people. Names of modules as arguments leave the others out, and `-v` shows each change that
nothing noticed. The tree itself is not touched: a copy is.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation import trampoline  # type: ignore[import-not-found]

from mutation.changes import mutate
from mutation.table import TESTS

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("schemas", "installer", "bundler")


class _Mutants:
    """Runs the tests once as they are, and then for each mutant those that reach its function."""

    def __init__(self, changes: dict[str, str]) -> None:
        self.changes = changes
        self.unnoticed: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        reaching: dict[str, list[tuple[float, pytest.Item]]] = {}
        hits: set[str] = set()
        trampoline.record_trampoline_hit = lambda name, **_: hits.add(name)
        trampoline.set_mutant_under_test("stats")
        for item, following in _with_following(session.items):
            started = time.monotonic()
            if not _passes(item, following):
                raise pytest.UsageError(f"fails without any change: {item.nodeid}")
            for name in hits:
                reaching.setdefault(name, []).append((time.monotonic() - started, item))
            hits.clear()
        for mutant in self.changes:
            tests = sorted(reaching.get(mutant.partition("__mutmut_")[0], []), key=lambda t: t[0])
            if not _is_noticed(session, mutant, [item for _, item in tests]):
                self.unnoticed.append(mutant)
        return True


def _with_following(items: list[pytest.Item]) -> Iterable[tuple[pytest.Item, pytest.Item]]:
    """Return each test with the next: what that needs as well stays set up, even after the last."""
    return zip(items, [*items[1:], *items[:1]], strict=True)


def _passes(item: pytest.Item, following: pytest.Item) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return all(report.passed for report in reports)


def _passes_in_time(item: pytest.Item, following: pytest.Item) -> bool:
    # A mutant may run or wait for ever: signals end it.
    signal.setitimer(signal.ITIMER_PROF, 10)
    signal.alarm(100)
    return _passes(item, following)


def _is_noticed(session: pytest.Session, mutant: str, items: list[pytest.Item]) -> bool:
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
        trampoline.set_mutant_under_test(mutant)
        if items:
            session._setupstate.teardown_exact(items[0])
        os._exit(not all(itertools.starmap(_passes_in_time, _with_following(items))))
    return os.waitpid(child, 0)[1] != 0


def _measure(module: str, folder: Path, *, verbose: bool) -> Counter[str]:
    """Print the line of a module, and return its counts."""
    path = next(folder.glob(f"*/src/{module.replace('.', '/')}.py"))
    mutants = _Mutants(mutate(path, module))
    files = [f"tests/{file}" for file in TESTS[module]]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(["-qq", "-p", "no:cacheprovider", *files], plugins=[mutants])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"{module}: {said.getvalue()}")
    tested, unnoticed = len(mutants.changes), mutants.unnoticed if verbose else ()
    counts = Counter(tested=tested, killed=tested - len(mutants.unnoticed))
    _tell(module, counts, "".join(f"  {name}\n{mutants.changes[name]}\n" for name in unnoticed))
    return counts


def _tell(what: str, counts: Counter[str], more: str = "") -> None:
    killed, tested = counts["killed"], counts["tested"]
    sys.stdout.write(f"{what:36}{killed:5} of {tested:4}{killed / tested:8.1%}\n{more}")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Measure the modules that are named, or all."""
    verbose = "-v" in arguments
    wanted = [argument for argument in arguments if argument != "-v"]
    chosen = [m for m in TESTS if not wanted or m.rpartition(".")[2] in wanted]
    compiled = shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        for part in (*PARTS, "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=compiled)
        with open(shutil.copy(ROOT / "pyproject.toml", folder), "a", encoding="utf-8") as settings:
            settings.write('\n[tool.mutmut]\nsource_paths = ["schemas"]\n')
        os.chdir(folder)
        sys.path[:0] = [*(str(folder / part / "src") for part in PARTS), str(folder / "tests")]
        # Each module in a process of its own, in which nothing else is changed.
        context = multiprocessing.get_context("fork")
        total: Counter[str] = Counter()
        for module in chosen:
            with context.Pool(1) as pool:
                total += pool.apply(_measure, (module, folder), {"verbose": verbose})
    _tell("all", total)


if __name__ == "__main__":
    main(sys.argv[1:])
