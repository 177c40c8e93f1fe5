"""CONTRIBUTING says where things are: each path exists, and holds what it is named for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROOMS = {
    name: ROOT / name / "src" / f"wheelferry_{name}" for name in ("schemas", "bundler", "installer")
}
ANSWER = re.compile(r"(schemas|bundler|installer) `([\w/.]+\.py)`(?: \(([^)]*)\))?")


def answers() -> list[tuple[str, str, str]]:
    table = TEXT[TEXT.index("| question | file |") : TEXT.index("## Layout")]
    return ANSWER.findall(table)


def listing(room: str) -> dict[str, set[str]]:
    """Return the modules of each package, as CONTRIBUTING lists them; '' are those at the top."""
    block = TEXT[TEXT.index(f"wheelferry_{room}/\n") :].split("```", 1)[0]
    found: dict[str, set[str]] = {"": set()}
    package = ""
    for line in block.splitlines()[1:]:
        if name := re.match(r"  (\w+)/", line):
            package = name[1]
            found[package] = set()
        else:
            found[package].update(line.split())
    return found


def test_there_are_fifteen_questions() -> None:
    table = TEXT[TEXT.index("| question | file |") : TEXT.index("## Layout")]
    assert len(re.findall(r"^\| [A-Z].*\? \|", table, re.MULTILINE)) == 15


@pytest.mark.parametrize(("room", "path", "names"), answers())
def test_a_question_is_answered_where_the_table_says(room: str, path: str, names: str) -> None:
    source = (ROOMS[room] / path).read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"\b{name}\b", source)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_listings_name_every_package_and_only_modules_that_exist(room: str) -> None:
    listed = listing(room)
    packages = {path.parent.name for path in ROOMS[room].glob("*/__init__.py")}
    assert set(listed) - {""} == packages
    for package, modules in listed.items():
        there = {path.stem for path in (ROOMS[room] / package).glob("*.py")}
        assert modules <= there
        assert package == "" or modules
