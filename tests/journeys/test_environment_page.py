"""The page of environment variables names what the source reads, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from support.running.pages import DOCS

PAGE = (DOCS / "reference/environment-variables.md").read_text(encoding="utf-8")
OWN, OF_LIBRARIES = PAGE.split("## Read by what wheelferry is made of")
VARIABLE = re.compile(r"_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
NOT_READ = {"PYTHONDONTWRITEBYTECODE", "UV_PYTHON_DOWNLOADS", "PYTHONHASHSEED"}
"""Set for other programs, whatever they were."""
NOT_VARIABLES = {"_USERNAME", "_PASSWORD"}
"""Ends of the names of logins, which begin with `UV_INDEX_`."""


def trees() -> Iterator[ast.Module]:
    for room in ("schemas", "bundler", "installer"):
        for path in sorted((DOCS.parent / room / "src").rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"), str(path))


def reads_environment(tree: ast.Module) -> bool:
    """Return whether a module asks for the environment, or is handed it."""
    names = {getattr(node, "attr", None) or getattr(node, "id", None) for node in ast.walk(tree)}
    handed = (
        node.annotation is not None and ast.unparse(node.annotation) == "Mapping[str, str]"
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) and node.arg in {"environ", "environment"}
    )
    return not names.isdisjoint({"environ", "environb", "getenv"}) or any(handed)


def texts(tree: ast.Module) -> set[str]:
    keywords = (node for node in ast.walk(tree) if isinstance(node, ast.keyword))
    metavars = {node.value for node in keywords if node.arg == "metavar"}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {
        node.value for node in constants if isinstance(node.value, str) and node not in metavars
    }


def variables(tree: ast.Module) -> set[str]:
    return {
        text
        for text in texts(tree)
        if VARIABLE.fullmatch(text) and len(text) > 1 and text not in NOT_VARIABLES
    }


def named(page: str) -> set[str]:
    return {span for span in re.findall(r"`([^`]+)`", page) if VARIABLE.fullmatch(span)}


@pytest.fixture(scope="module")
def source() -> list[ast.Module]:
    return list(trees())


@pytest.fixture(scope="module")
def read(source: list[ast.Module]) -> set[str]:
    return {name for tree in source if reads_environment(tree) for name in variables(tree)}


def test_every_variable_that_the_source_reads_is_on_the_page(read: set[str]) -> None:
    assert len(read) > 25
    assert sorted(read - named(OWN) - NOT_READ) == []


def test_every_variable_of_the_page_is_in_the_source(source: list[ast.Module]) -> None:
    known = {text for tree in source for text in texts(tree)}
    composed = {name for name in named(OWN) if name.startswith("UV_INDEX_NAME_")}
    assert {"UV_INDEX_"} <= known
    assert sorted(named(OWN) - known - composed - {"UV_", "PIP_"}) == []


def test_what_libraries_read_is_not_what_the_source_reads(read: set[str]) -> None:
    assert len(named(OF_LIBRARIES)) > 5
    assert named(OF_LIBRARIES) & read == set()
