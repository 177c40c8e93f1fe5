"""A pyproject.toml without a lock, resolved by the real uv from a local index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from support.making.sources import make_source
from support.making.unlocked import LINUX, OTHER, chosen, only, read, roots, write
from support.making.wheels import make_wheel
from support.running.index import LocalIndex
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import UsageError

pytestmark = pytest.mark.usefixtures("uv_with_the_local_index")

PROJECT = """
[project]
name = "App"
version = "3.0"
dependencies = ["demo", "lib"]
[project.optional-dependencies]
early = ["early==1.0rc1"]
color = ["colorama", "app[early]"]
[dependency-groups]
dev = ["tester", {include-group = "docs"}]
docs = ["writer"]
[tool.uv.sources]
lib = { path = "lib" }
"""
BUILD_SYSTEM = "[build-system]\nrequires = []\nbuild-backend = 'x'\n"


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    """A project with extras and groups, without a lock."""
    index.add(make_wheel("tester"), make_wheel("writer"))
    make_source(tmp_path / "lib", make_wheel("lib"))
    return write(tmp_path, PROJECT, "pyproject.toml")


BASE = ["demo 1.0", "helper 2.0", "lib ?"]
DEV = ["tester 1.0", "writer 1.0"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), [*BASE, *DEV]),
        (Wanted(no_groups=("dev",)), BASE),
        (Wanted(no_default_groups=True), BASE),
        (Wanted(no_default_groups=True, groups=("docs",)), [*BASE, "writer 1.0"]),
        (Wanted(all_groups=True, no_groups=("dev",)), [*BASE, "writer 1.0"]),
        (Wanted(only_groups=("docs",)), ["writer 1.0"]),
        (Wanted(extras=("early",)), [*BASE, *DEV, "early 1.0rc1"]),
        (Wanted(extras=("color",)), [*BASE, *DEV, "early 1.0rc1", "colorama 1.0"]),
        (Wanted(all_extras=True, no_extras=("color",)), [*BASE, *DEV, "early 1.0rc1"]),
    ],
)
def test_takes_extras_and_groups_of_a_project_as_uv_does(
    project: Path, wanted: Wanted, expected: Sequence[str]
) -> None:
    assert chosen(read(project, wanted=wanted)) == sorted(expected)


@pytest.mark.parametrize(
    ("defaults", "expected"), [("'all'", DEV), ("['docs']", DEV[1:]), ("[]", [])]
)
def test_takes_default_groups_of_a_project(
    project: Path, defaults: str, expected: Sequence[str]
) -> None:
    write(project.parent, f"{PROJECT}[tool.uv]\ndefault-groups = {defaults}\n", project.name)
    assert chosen(read(project)) == [*BASE, *expected]


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (Wanted(extras=("none",)), "extra 'none'"),
        (Wanted(groups=("none",)), "group 'none'"),
        (Wanted(only_groups=("none",)), "group 'none'"),
    ],
)
def test_names_extras_and_groups_that_a_project_does_not_have(
    project: Path, wanted: Wanted, missing: str
) -> None:
    with pytest.raises(UsageError, match=f"pyproject.toml has no {missing}") as caught:
        read(project, wanted=wanted)
    assert str(caught.value.hint).startswith("it has: ")


@pytest.mark.parametrize("wanted", [Wanted(packages=("x",)), Wanted(all_packages=True)])
def test_members_of_a_workspace_need_a_lock(project: Path, wanted: Wanted) -> None:
    with pytest.raises(UsageError, match="need a lock"):
        read(project, wanted=wanted)


def test_takes_the_project_itself_where_it_is_a_package(project: Path) -> None:
    write(project.parent, f"{PROJECT}{BUILD_SYSTEM}", project.name)
    locked = read(project)
    assert chosen(locked) == ["app 3.0", *BASE, *DEV]
    assert (locked.name, locked.version) == ("app", "3.0")
    assert only(locked, "app").source.path == project.parent


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(no_install_project=True),
        Wanted(no_install_packages=("App",)),
        Wanted(only_groups=("docs",)),
    ],
)
def test_leaves_the_project_itself_out_where_it_is_not_wanted(
    project: Path, wanted: Wanted
) -> None:
    write(project.parent, f"{PROJECT}{BUILD_SYSTEM}", project.name)
    assert "app 3.0" not in chosen(read(project, wanted=wanted))


def test_obeys_the_python_that_a_project_requires(project: Path) -> None:
    text = PROJECT.replace('version = "3.0"', f'version = "3.0"\nrequires-python = ">={OTHER}"')
    locked = read(write(project.parent, text, project.name))
    (problem,) = select(locked, LINUX).problems
    assert f"requires Python >={OTHER}" in problem.message


def test_takes_groups_of_a_pyproject_without_project(tmp_path: Path) -> None:
    path = write(
        tmp_path, "[dependency-groups]\ndev = ['helper']\nother = ['demo']\n", "pyproject.toml"
    )
    assert chosen(read(path)) == ["helper 2.0"]


def test_takes_nothing_where_nothing_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "[dependency-groups]\nother = ['demo']\n", "pyproject.toml")
    assert chosen(read(path)) == []


def test_writes_nothing_beside_a_project(project: Path) -> None:
    before = sorted(project.parent.rglob("*"))
    read(project)
    assert sorted(project.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ("demo", "lib", "tester", "writer")),
        (Wanted(no_default_groups=True, extras=("color",)), ("colorama", "demo", "lib")),
        (Wanted(only_groups=("docs",)), ("writer",)),
    ],
)
def test_roots_are_what_the_project_asks_for(
    project: Path, wanted: Wanted, expected: tuple[str, ...]
) -> None:
    assert roots(read(project, wanted=wanted)) == expected


def test_roots_are_the_project_and_its_groups_where_it_is_installed(project: Path) -> None:
    path = write(project.parent, BUILD_SYSTEM + PROJECT, "pyproject.toml")
    assert roots(read(path)) == ("app", "tester", "writer")
    left_out = Wanted(no_install_project=True, no_default_groups=True)
    assert roots(read(path, wanted=left_out)) == ("demo", "lib")
