"""The shape of the three rooms: folders, modules and functions that one can take in at a look."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {
    member: ROOT / member / "src" / f"wheelferry_{member}"
    for member in ("schemas", "installer", "bundler")
}
MODULES = [path for room in ROOMS.values() for path in sorted(room.rglob("*.py"))]
MOST_MODULES = 20
MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 8
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _parameters(function: Function) -> int:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    starred = [arg for arg in (given.vararg, given.kwarg) if arg is not None]
    return len([arg for arg in named if arg.arg not in ("self", "cls")]) + len(starred)


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 150


def test_no_folder_has_more_than_20_modules() -> None:
    folders = Counter(_named(path.parent) for path in MODULES if path.name != "__init__.py")
    assert {name: n for name, n in folders.items() if n > MOST_MODULES} == {}


def test_no_module_has_more_than_350_lines() -> None:
    lines = {_named(path): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}


def test_no_function_has_more_than_60_lines() -> None:
    long = {
        f"{_named(path)}:{function.lineno} {function.name}": lines
        for path in MODULES
        for function in _functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_no_function_but_a_command_has_more_than_8_parameters() -> None:
    many = {
        f"{_named(path)}:{function.lineno} {function.name}": count
        for path in MODULES
        if path.parent.name != "commands"
        for function in _functions(path)
        if (count := _parameters(function)) > MOST_PARAMETERS
    }
    assert many == {}


def test_module_names_are_unique_in_the_product() -> None:
    names = Counter(
        path.stem
        for path in MODULES
        if path.parent.name != "commands" and path.name not in ("__init__.py", "api.py")
    )
    assert {name: n for name, n in names.items() if n > 1} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_each_package_says_what_it_is_for(room: str) -> None:
    silent = [
        _named(path)
        for path in MODULES
        if path.is_relative_to(ROOMS[room])
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_complexity_is_held_by_ruff() -> None:
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'select = ["ALL"]' in config
    assert "C901" not in config
    excused = re.compile(r"noqa:.*(C901|PLR0915)")
    assert [_named(p) for p in MODULES if excused.search(p.read_text(encoding="utf-8"))] == []
