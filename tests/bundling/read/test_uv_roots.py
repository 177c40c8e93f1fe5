from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.making.locks import edge, names, package, project, read, target, uv_lock
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import UsageError

LEAVES = tuple(map(package, ("base", "pretty", "fast", "dev", "docs", "lint", "own", "other")))
SINGLE = (
    project(
        "demo",
        edge("base"),
        extras={"pretty": [edge("pretty")], "fast": [edge("fast")], "void": []},
        groups={"dev": [edge("dev")], "docs": [edge("docs")], "lint": [edge("lint")]},
    ),
    *LEAVES,
)
WORKSPACE = (
    project(
        "root",
        edge("base"),
        extras={"pretty": [edge("pretty")]},
        groups={"dev": [edge("dev")], "docs": [edge("docs")], "shared": [edge("other")]},
    ),
    project(
        "one",
        edge("own"),
        folder="one",
        extras={"pretty": [edge("fast")]},
        groups={"docs": [edge("lint")]},
        more='default-groups = ["docs"]',
    ),
    project("two", edge("one"), folder="two"),
    *LEAVES,
)
MEMBERS = "[manifest]\nmembers = ['root', 'one', 'two']\n"
LOOSE = (
    "[manifest]\nmembers = ['one', 'two']\ndefault-groups = ['tools']\n"
    "[manifest.dependency-groups]\ntools = [{ name = 'other' }]\nlint = [{ name = 'lint' }]\n"
)


def taken(lock: bytes, folder: Path | None = None, **wanted: Any) -> set[str]:
    """Return the names of what is taken of a lock."""
    locked = read(lock, **({"folder": folder} if folder else {}), **wanted)
    return names(select(locked, target()))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "demo base dev"),
        ({"extras": ["pretty"]}, "demo base dev pretty"),
        ({"extras": ["Void"]}, "demo base dev"),
        ({"all_extras": True}, "demo base dev pretty fast"),
        ({"all_extras": True, "no_extras": ["fast"]}, "demo base dev pretty"),
        ({"groups": ["docs"]}, "demo base dev docs"),
        ({"no_groups": ["dev"]}, "demo base"),
        ({"groups": ["docs"], "no_groups": ["docs"]}, "demo base dev"),
        ({"all_groups": True}, "demo base dev docs lint"),
        ({"all_groups": True, "no_groups": ["dev"]}, "demo base docs lint"),
        ({"no_default_groups": True}, "demo base"),
        ({"no_default_groups": True, "groups": ["lint"]}, "demo base lint"),
        ({"only_groups": ["docs"]}, "docs"),
        ({"only_groups": ["docs", "lint"]}, "docs lint"),
        ({"only_groups": ["docs"], "no_groups": ["docs"]}, ""),
        ({"no_install_project": True}, "base dev"),
        ({"no_install_workspace": True}, "base dev"),
        ({"no_install_local": True}, "base dev"),
        ({"no_install_packages": ["Base"]}, "demo dev"),
        ({"packages": ["demo"]}, "demo base dev"),
        ({"all_packages": True, "no_install_project": True}, "base dev"),
    ],
)
def test_takes_of_single_project(wanted: dict[str, Any], expected: str) -> None:
    assert taken(uv_lock(*SINGLE), **wanted) == set(expected.split())


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "root base dev"),
        ({"packages": ["one"]}, "one own lint"),
        ({"packages": ["two"]}, "two one own"),
        ({"packages": ["one", "two"]}, "one two own"),
        ({"all_packages": True}, "root one two base own dev"),
        ({"all_packages": True, "groups": ["docs"]}, "root one two base own dev docs lint"),
        ({"all_packages": True, "all_extras": True}, "root one two base own dev pretty fast"),
        ({"all_packages": True, "only_groups": ["docs"]}, "docs lint"),
        ({"packages": ["one"], "extras": ["pretty"]}, "one own lint fast"),
        ({"packages": ["two"], "groups": ["shared"]}, "two one own other"),
        ({"packages": ["two"], "only_groups": ["shared"]}, "other"),
        ({"packages": ["two"], "all_groups": True}, "two one own dev docs other"),
        ({"packages": ["one"], "all_groups": True}, "one own lint dev other"),
        ({"packages": ["one", "two"], "only_groups": ["docs"]}, "lint"),
        ({"packages": ["two"], "no_install_project": True}, "one own"),
        ({"packages": ["two"], "no_install_workspace": True}, "own"),
        ({"packages": ["one", "two"], "no_install_project": True}, "one two own"),
        ({"all_packages": True, "no_install_project": True}, "one two base own dev"),
    ],
)
def test_takes_of_workspace(wanted: dict[str, Any], expected: str) -> None:
    lock = uv_lock(*WORKSPACE, head=MEMBERS)
    # Without a pyproject.toml, the lock says which groups are defaults.
    assert taken(lock, **wanted) == set(expected.split())


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "one two own other"),
        ({"groups": ["lint"]}, "one two own other lint"),
        ({"only_groups": ["lint"]}, "lint"),
        ({"no_default_groups": True}, "one two own"),
        ({"packages": ["two"]}, "two one own"),
        ({"packages": ["two"], "groups": ["lint"]}, "two one own lint"),
        ({"packages": ["one", "two"]}, "one two own other"),
        ({"no_install_project": True}, "one two own other"),
        ({"no_install_workspace": True}, "own other"),
    ],
)
def test_takes_of_workspace_whose_root_is_no_project(wanted: dict[str, Any], expected: str) -> None:
    lock = uv_lock(*WORKSPACE[1:], head=LOOSE)
    assert taken(lock, **wanted) == set(expected.split())


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", "demo base dev"),
        ('default-groups = ["docs", "Lint"]', "demo base docs lint"),
        ("default-groups = []", "demo base"),
        ('default-groups = "all"', "demo base dev docs lint"),
    ],
)
@pytest.mark.parametrize("revision", [3, 5])
def test_takes_default_groups_of_the_project_file(
    tmp_path: Path, setting: str, expected: str, revision: int
) -> None:
    declared = "[dependency-groups]\ndev = []\ndocs = []\nlint = []\n"
    (tmp_path / "pyproject.toml").write_text(f"{declared}[tool.uv]\n{setting}\n")
    lock = uv_lock(*SINGLE, revision=revision)
    assert taken(lock, tmp_path) == set(expected.split())


def test_takes_default_groups_of_the_root_for_member_of_older_lock(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\ndefault-groups = []\n")
    lock = uv_lock(*WORKSPACE, head=MEMBERS, revision=3)
    assert taken(lock, tmp_path, packages=("one",)) == {"one", "own"}


def test_takes_group_only_with_python_that_it_supports() -> None:
    lock = uv_lock(*SINGLE[:1]) + b"[package.group-requires-python]\ndocs = '>=3.13'\n"
    lock += b"".join(map(str.encode, LEAVES))
    assert taken(lock) == {"demo", "base", "dev"}
    [problem] = select(read(lock, groups=("docs",)), target()).problems
    assert problem.message.startswith("demo requires Python >=3.13,>=3.8")


def test_takes_group_of_older_lock_only_with_python_that_it_supports(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.uv.dependency-groups]\ndocs = { requires-python = '>=3.13' }\n"
    )
    lock = uv_lock(*SINGLE, revision=3)
    assert select(read(lock, tmp_path, groups=("docs",)), target()).problems
    assert taken(lock, tmp_path) == {"demo", "base", "dev"}


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        (
            {"extras": ["nicer", "Finer"]},
            "the project has no extra 'finer', 'nicer'",
            "it has: fast, pretty, void",
        ),
        ({"no_extras": ["nicer"]}, "the project has no extra 'nicer'", None),
        (
            {"groups": ["test"]},
            "the project has no group 'test'",
            "it has: dev, docs, lint",
        ),
        ({"no_groups": ["test"]}, "the project has no group 'test'", None),
        ({"only_groups": ["test"]}, "the project has no group 'test'", None),
        (
            {"packages": ["two"]},
            "the workspace has no package 'two'",
            "it has: demo",
        ),
        ({"no_install_packages": ["bsae"]}, "the lock has no package 'bsae'", None),
    ],
)
def test_refuses_what_is_not_there(wanted: dict[str, Any], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as error:
        read(uv_lock(*SINGLE), **wanted)
    assert error.value.message == message
    assert hint in (None, error.value.hint)


def test_allows_to_leave_out_group_dev_where_there_is_none() -> None:
    lock = uv_lock(project("demo", edge("base")), package("base"))
    assert taken(lock, no_groups=("dev",)) == {"demo", "base"}
    assert taken(lock, only_groups=("dev",)) == set()


def test_knows_extras_that_need_nothing_from_metadata_of_older_lock() -> None:
    lock = uv_lock(project(), revision=3) + b"[package.metadata]\nprovides-extras = ['void']\n"
    assert taken(lock, extras=("void",)) == {"demo"}


def test_does_not_check_extras_of_lock_that_cannot_tell() -> None:
    assert taken(uv_lock(*SINGLE, revision=0), extras=("unknown",)) == {"demo", "base", "dev"}


CONFLICTS = (
    "conflicts = [[{ package = 'demo', extra = 'pretty' }, { package = 'demo', extra = 'fast' }, "
    "{ package = 'demo', group = 'docs' }], [{ package = 'demo', group = 'dev' }, "
    "{ package = 'demo', group = 'lint' }]]\n"
)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            {"extras": ["pretty", "fast"]},
            (
                "extra `fast` and extra `pretty` are incompatible with the declared conflicts: "
                "{`demo[fast]`, `demo[pretty]`, `demo:docs`}"
            ),
        ),
        (
            {"extras": ["fast"], "groups": ["docs"]},
            (
                "extra `fast` and group `docs` are incompatible with the declared conflicts: "
                "{`demo[fast]`, `demo[pretty]`, `demo:docs`}"
            ),
        ),
        (
            {"all_extras": True, "groups": ["docs"]},
            (
                "extra `fast`, extra `pretty` and group `docs` are incompatible with the declared "
                "conflicts: {`demo[fast]`, `demo[pretty]`, `demo:docs`}"
            ),
        ),
        (
            {"groups": ["lint"]},
            (
                "group `dev` (enabled by default) and group `lint` are incompatible with the declared "
                "conflicts: {`demo:dev`, `demo:lint`}"
            ),
        ),
    ],
)
def test_refuses_what_conflicts_in_the_words_of_uv(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as error:
        read(uv_lock(*SINGLE, head=CONFLICTS), **wanted)
    assert error.value.message == words
    assert error.value.hint == "ask for one of them, or make a bundle for each"


@pytest.mark.parametrize(
    "wanted",
    [{"extras": ["pretty"]}, {"groups": ["lint"], "no_groups": ["dev"]}, {"only_groups": ["lint"]}],
)
def test_takes_one_of_what_conflicts(wanted: dict[str, Any]) -> None:
    assert taken(uv_lock(*SINGLE, head=CONFLICTS), **wanted)


def test_refuses_projects_that_conflict() -> None:
    conflict = "conflicts = [[{ package = 'one' }, { package = 'root' }]]\n"
    lock = uv_lock(*WORKSPACE, head=conflict + MEMBERS)
    with pytest.raises(UsageError) as error:
        read(lock, all_packages=True)
    assert error.value.message == (
        "package `one` and package `root` are incompatible with the declared conflicts: "
        "{`one`, `root`}"
    )


def test_does_not_mind_conflict_of_member_that_is_not_taken() -> None:
    head = (
        "conflicts = [[{ package = 'one', extra = 'pretty' }, "
        "{ package = 'root', extra = 'pretty' }]]\n"
    )
    lock = uv_lock(*WORKSPACE, head=head + MEMBERS)
    assert taken(lock, extras=("pretty",)) == {"root", "base", "dev", "pretty"}
