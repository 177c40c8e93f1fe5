from __future__ import annotations

from pathlib import Path

import pytest

from wheelferry_bundler.read.pyproject import GroupSettings, Pyproject
from wheelferry_schemas.errors import MalformedError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, text: str) -> GroupSettings:
    (folder / "pyproject.toml").write_text(text)
    return Pyproject.read(folder).groups


def test_folder_without_project_file_has_the_defaults_of_uv(folder: Path) -> None:
    assert Pyproject.read(folder).groups == GroupSettings(default_groups=frozenset({"dev"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"dev"}),
        ("[tool.uv]\ndefault-groups = []", set()),
        (
            "[dependency-groups]\nTest_All = []\n[tool.uv]\ndefault-groups = ['test.all']",
            {"test-all"},
        ),
        ("[tool.uv]\ndefault-groups = 'all'", None),
        ("[tool.uv]\ndefault-groups = ['dev']\ndev-dependencies = []", {"dev"}),
    ],
)
def test_reads_default_groups(folder: Path, text: str, expected: set[str] | None) -> None:
    assert read(folder, text).default_groups == expected


def test_refuses_default_group_that_is_not_there(folder: Path) -> None:
    with pytest.raises(MalformedError) as error:
        read(folder, "[dependency-groups]\ntest = []\n[tool.uv]\ndefault-groups = ['tests', 'no']")
    assert error.value.message == (
        "pyproject.toml: default-groups names 'no', 'tests', which the project does not have"
    )


def test_reads_pythons_of_groups(folder: Path) -> None:
    text = "[tool.uv.dependency-groups]\nNew_Ones = { requires-python = '>=3.12' }\nother = {}\n"
    pythons = read(folder, text).group_requires_python
    assert {group: str(specifier) for group, specifier in pythons.items()} == {"new-ones": ">=3.12"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.uv", "pyproject.toml is not TOML"),
        ("tool = 3", "pyproject.toml: tool is not a table"),
        ("[tool.uv]\ndefault-groups = 'some'", "default-groups is not a list"),
        ("[tool.uv]\ndefault-groups = [1]", "default-groups is not a list of strings"),
        (
            "[tool.uv.dependency-groups]\na = { requires-python = 'new' }",
            "requires-python 'new' is not a specifier",
        ),
    ],
)
def test_refuses_malformed_project_file(folder: Path, text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read(folder, text)
