"""Puts the tables of all records into RESULTS.md, between marks: `python -m benchmarks.results`.

With `--check` nothing is written: it fails where a table is not what its record says. What was not
measured yet stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import records, report

PAGE = Path(__file__).parent / "RESULTS.md"


def tables() -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the name of each record that is there, and the lines of its tables."""
    for name in ("full", "pure"):
        if compared := records.read(name, records.Comparison):
            yield name, report.comparison(compared)
    if grown := records.read("scaling", records.Growth):
        yield "scaling", report.growth(grown)
    if selected := records.read("selection", records.Selections):
        yield "selection", report.selections(selected)
    if crossed := records.read("matrix", records.Matrix):
        yield "matrix", report.matrix(crossed)
    if refused := records.read("hostile", records.Hostile):
        yield "hostile", report.hostile(refused)


def filled(page: str) -> str:
    """Return the page with what was measured between its marks."""
    for name, lines in tables():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{PAGE.name} has no marks of {name}")
        page = "\n".join((f"{before}{begin}", *lines, "", f"{end}{after}"))
    return page


def main() -> None:
    """Fill the page, or compare it."""
    before = PAGE.read_text(encoding="utf-8")
    after = filled(before)
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(after, encoding="utf-8")
    elif after != before:
        raise SystemExit(f"{PAGE.name} is not what the records say: python -m benchmarks.results")


if __name__ == "__main__":
    main()
