"""The page of errors says what the air-gapped side can say, and nothing that is no longer said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain

import pytest

from support.running.pages import DOCS
from wheelferry_schemas import errors

ROOT = DOCS.parent
PAGE = DOCS / "reference/errors.md"
FAMILIES = {name for name in vars(errors) if name.endswith("Error")} | {"NewerFormatError"}
GAP = "…"
REASONS = re.compile(r"problem|misfit|refusal|unsuitable", re.IGNORECASE)
"""What functions are called that give the reasons within a message."""


def normal(text: str) -> str:
    return " ".join(text.split())


def sources(*members: str) -> list[ast.Module]:
    folders = [ROOT / member / "src" for member in members]
    paths = sorted(chain.from_iterable(folder.rglob("*.py") for folder in folders))
    return [ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths]


def template(node: ast.expr) -> str | None:
    """Return a text with gaps for what is filled in; None where it is all filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            (template(v) if isinstance(v, ast.Constant) else GAP) or "" for v in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (template(node.left) or GAP) + (template(node.right) or GAP)
    return None


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts below a node, without what is passed on within one, and documentation."""
    if isinstance(node, ast.expr) and (text := template(node)) is not None:
        yield text
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Call):
        return
    documentation = node.body[0] if isinstance(node, ast.FunctionDef) else None
    for child in ast.iter_child_nodes(node):
        if child is not documentation or not isinstance(child, ast.Expr):
            yield from texts(child)


def called(call: ast.Call) -> str:
    """Return the last name of what is called; for `type(error)(…)` that is `type`."""
    function = call.func.func if isinstance(call.func, ast.Call) else call.func
    return str(getattr(function, "attr", None) or getattr(function, "id", ""))


def makers(trees: list[ast.Module]) -> set[str]:
    """Return the names of errors, and of functions that make or raise them."""
    functions = (n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    return FAMILIES | {
        function.name
        for function in functions
        if (isinstance(function.returns, ast.Name) and function.returns.id in FAMILIES)
        or function.name == "_refuse"
    }


def messages(trees: list[ast.Module]) -> Iterator[str]:
    """Yield what errors are raised with: messages, and the reasons that stand in them."""
    made_by = makers(trees)
    functions = (n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    for function in functions:
        assigned = {
            target.id: statement.value
            for statement in ast.walk(function)
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
        raised = [n.exc for n in ast.walk(function) if isinstance(n, ast.Raise)]
        for call in calls:
            of_a_kind = called(call) == "type" and isinstance(call.func, ast.Call)
            if called(call) in made_by or of_a_kind or call in raised:
                for argument in call.args:
                    meant = assigned.get(argument.id) if isinstance(argument, ast.Name) else None
                    yield from texts(meant or argument)
        if REASONS.search(function.name):
            yield from texts(function)


def telling(text: str) -> str | None:
    """Return the longest part of a message that is always the same, if it has two words."""
    parts = [normal(part).strip(" :,;'\"()") for part in text.split(GAP)]
    longest = max(parts, key=len)
    return longest if " " in longest else None


def quoted() -> list[str]:
    """Return what the page quotes: in its headings, and in its lists of reasons."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    quoting = [line for line in lines if line.startswith(("### ", "- `"))]
    return [span for line in quoting for span in re.findall(r"`([^`]+)`", line)]


def test_every_message_and_reason_of_the_air_gapped_side_has_an_entry() -> None:
    said = {part for text in messages(sources("installer", "schemas")) if (part := telling(text))}
    assert len(said) > 200
    entries = "\n".join(quoted())
    assert [message for message in sorted(said) if message not in entries] == []


def test_no_entry_is_of_a_message_that_is_no_longer_said() -> None:
    said = {text for tree in sources("installer", "schemas", "bundler") for text in texts(tree)}
    together = "\n".join(map(normal, said))
    patterns = {
        entry: ".*".join(re.escape(part.strip()) for part in entry.split(GAP) if part.strip())
        for entry in quoted()
    }
    assert len(patterns) > 200
    assert [entry for entry, said in patterns.items() if not re.search(said, together)] == []


@pytest.mark.parametrize("family", sorted(FAMILIES - {"WheelferryError", "BuildError"}))
def test_every_exit_code_has_a_section(family: str) -> None:
    error = getattr(errors, family, errors.MalformedError)
    assert f"## Exit code {error.exit_code}: " in PAGE.read_text(encoding="utf-8")
