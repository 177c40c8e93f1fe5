"""The JSON Schema of the settings, as an editor uses it, and the page that is made from it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli
from jsonschema import Draft202012Validator

from support.running.command import succeed
from support.running.pages import DOCS

ROOT = DOCS.parent
COMMITTED = ROOT / "bundler/settings.schema.json"
_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tables() -> Iterator[tuple[str, Any]]:
    """Yield the settings of all examples, and of all pages."""
    for path in sorted(ROOT.glob("examples/*/pyproject.toml")):
        table = tomli.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("wheelferry")
        if table is not None:
            yield path.parent.name, table
    for page in sorted(DOCS.rglob("*.md")):
        for text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            table = tomli.loads(text)
            yield page.name, table.get("tool", {}).get("wheelferry", table)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_there_are_examples() -> None:
    assert len(list(tables())) >= 4


@pytest.mark.parametrize(("name", "table"), list(tables()))
def test_takes_the_settings_of_examples_and_pages(
    validator: Draft202012Validator, name: str, table: Any
) -> None:
    assert list(validator.iter_errors(table)) == [], name


@pytest.mark.parametrize(
    "table",
    [
        {"plaform": "win32"},
        {"platform": 3},
        {"platform": ["win32", 3]},
        {"no-dev": "yes"},
        {"format": 2},
        {"force": True},
        {"targets": {"../x": {"platform": "win32"}}},
        {"targets": {"a": {"platfrom": "win32"}}},
        {"targets": []},
    ],
)
def test_refuses_what_wheelferry_refuses(validator: Draft202012Validator, table: Any) -> None:
    assert list(validator.iter_errors(table)) != []


def test_command_prints_what_is_committed(tmp_path: Path) -> None:
    printed = succeed("settings", "--schema", cwd=tmp_path).data
    assert printed == json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_schema_and_page_are_those_of_the_models() -> None:
    script = ROOT / "bundler/generate_settings.py"
    command = (sys.executable, script, "--check")
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_every_key_has_a_description(validator: Draft202012Validator) -> None:
    own = validator.schema["$defs"]["TargetSettings"]
    for model in (validator.schema, own):
        for key, value in model["properties"].items():
            assert value["description"].endswith("."), key
