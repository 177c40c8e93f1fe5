from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.making.locks import edge, package, project, read, target, uv_lock
from wheelferry_bundler.model.locked import ExtraRequirement
from wheelferry_bundler.read.build_settings import read_constraints
from wheelferry_bundler.read.toml_tables import parse_toml
from wheelferry_bundler.select.selection import Selection, select
from wheelferry_schemas.errors import MalformedError, UnfitError

SETTINGS = """
[{table}extra-build-dependencies]
Native_Thing = ["maker>=1", {{ requirement = "leaf", match-runtime = true }}]
"""
LOCK = uv_lock(
    project("demo", edge("native-thing"), edge("leaf")),
    package("native-thing", wheels=(), sdist=True),
    package("leaf", "1.5"),
)


def chosen_from(folder: Path, lock: bytes = LOCK) -> Selection:
    return select(read(lock, folder), target())


def test_reads_constraints_of_the_lock() -> None:
    head = (
        "[manifest]\nbuild-constraints = [\n"
        "    { name = 'hatchling', specifier = '==1.29.0', marker = \"sys_platform == 'linux'\" },\n"
        "    { name = 'setuptools', specifier = '<75' },\n"
        "    { name = 'far', url = 'https://x.example/far-1.0-py3-none-any.whl' },\n]\n"
    )
    assert read(uv_lock(project(), head=head)).build_constraints == (
        'hatchling==1.29.0; sys_platform == "linux"',
        "setuptools<75",
        str(Requirement("far @ https://x.example/far-1.0-py3-none-any.whl")),
    )


def test_reads_constraints_of_settings() -> None:
    table = parse_toml(
        b"build-constraint-dependencies = ['setuptools<75', 'x ; os_name == \"nt\"']", "x"
    )
    assert read_constraints(table, "build-constraint-dependencies") == (
        "setuptools<75",
        'x; os_name == "nt"',
    )


@pytest.mark.parametrize("text", ["['no requirement!']", "[{ name = 'x', specifier = '?' }]", "3"])
def test_refuses_constraint_that_is_none(text: str) -> None:
    with pytest.raises(MalformedError):
        read_constraints(parse_toml(f"here = {text}".encode(), "x"), "here")


@pytest.mark.parametrize(
    ("file", "table"), [("pyproject.toml", "tool.uv."), ("uv.toml", "")], ids=lambda text: text
)
def test_builds_with_what_the_project_adds(tmp_path: Path, file: str, table: str) -> None:
    (tmp_path / file).write_text(SETTINGS.format(table=table))
    requires = {c.package.name: c.package.build_requires for c in chosen_from(tmp_path).chosen}
    assert requires == {"demo": (), "leaf": (), "native-thing": ("maker>=1", "leaf==1.5")}


def test_uv_toml_stands_in_for_the_table_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(SETTINGS.format(table="tool.uv."))
    (tmp_path / "uv.toml").write_text("")
    assert all(not chosen.package.build_requires for chosen in chosen_from(tmp_path).chosen)


def test_reads_which_requirements_match_what_runs(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text(SETTINGS.format(table=""))
    assert read(LOCK, tmp_path).extra_build_requires == {
        "native-thing": (
            ExtraRequirement(text="maker>=1"),
            ExtraRequirement(text="leaf", match_runtime=True),
        )
    }


def test_refuses_to_match_what_is_not_selected(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text(SETTINGS.format(table=""))
    lock = uv_lock(
        project("demo", edge("native-thing")), package("native-thing", wheels=(), sdist=True)
    )
    [problem] = chosen_from(tmp_path, lock).problems
    assert isinstance(problem, UnfitError)
    assert "no version of leaf is selected" in problem.message


@pytest.mark.parametrize("entries", ["3", "[3]", "[{ match-runtime = true }]", "['no one!']"])
def test_refuses_settings_that_are_no_requirements(tmp_path: Path, entries: str) -> None:
    (tmp_path / "uv.toml").write_text(f"extra-build-dependencies.leaf = {entries}\n")
    with pytest.raises(MalformedError, match="extra-build-dependencies"):
        read(LOCK, tmp_path)
