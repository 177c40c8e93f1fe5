from __future__ import annotations

from pathlib import Path

import pytest

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.read.inputs import find_source, indexes_of
from wheelferry_schemas.errors import UsageError

SCRIPT = "# /// script\n# dependencies = []\n# ///\n"
PROJECT = "[project]\nname = 'demo'\n"
URL = "https://me:s3cret@index.example/simple"


def write(folder: Path, *names: str) -> Path:
    """Write files of these names, each with a content that suits it."""
    for name in names:
        text = PROJECT if name == "pyproject.toml" else SCRIPT if name.endswith(".py") else ""
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("uv.lock", "uv.lock"),
        ("pylock.toml", "pylock.toml"),
        ("pylock.dev.toml", "pylock.toml"),
        ("requirements.txt", "requirements.txt"),
        ("requirements-dev.txt", "requirements.txt"),
        ("dev.txt", "requirements.txt"),
        ("requirements.in", "requirements.txt"),
        ("pyproject.toml", "pyproject.toml"),
        ("tool.py", "script"),
    ],
)
def test_takes_the_file_that_is_named(tmp_path: Path, name: str, kind: str) -> None:
    found = find_source(write(tmp_path, name, "uv.lock") / name)
    assert (found.path, found.kind, found.passed_over) == (tmp_path / name, kind, ())


@pytest.mark.parametrize(
    ("names", "taken", "passed_over"),
    [
        (["uv.lock", "pyproject.toml"], "uv.lock", ()),
        (
            ["uv.lock", "pylock.toml", "requirements.txt"],
            "uv.lock",
            ("pylock.toml", "requirements.txt"),
        ),
        (["pylock.toml", "requirements.txt"], "pylock.toml", ("requirements.txt",)),
        (
            ["requirements-dev.txt", "requirements.txt"],
            "requirements.txt",
            ("requirements-dev.txt",),
        ),
        (["requirements-dev.txt", "tool.py"], "requirements-dev.txt", ()),
        (["requirements.txt", "pyproject.toml"], "requirements.txt", ()),
        (["pyproject.toml", "tool.py"], "pyproject.toml", ()),
    ],
)
def test_takes_the_first_of_a_folder_and_tells_the_others(
    tmp_path: Path, names: list[str], taken: str, passed_over: tuple[str, ...]
) -> None:
    found = find_source(write(tmp_path, *names))
    assert (found.path, found.passed_over) == (tmp_path / taken, passed_over)


def test_takes_the_groups_of_a_pyproject_without_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[dependency-groups]\ndev = []\n", encoding="utf-8")
    assert find_source(tmp_path).path == tmp_path / "pyproject.toml"


def test_paths_start_in_the_folder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    write(tmp_path / "project", "requirements.txt")
    monkeypatch.chdir(tmp_path)
    assert find_source(Path("project")).folder == tmp_path / "project"


def test_paths_start_where_the_command_runs_when_a_file_below_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").mkdir()
    write(tmp_path / "requirements", "dev.txt")
    monkeypatch.chdir(tmp_path)
    assert find_source(Path("requirements/dev.txt")).folder == tmp_path


def test_paths_start_beside_a_file_that_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    write(tmp_path / "there", "requirements.txt")
    monkeypatch.chdir(tmp_path / "here")
    assert find_source(Path("../there/requirements.txt")).folder == tmp_path / "there"


@pytest.mark.parametrize("names", [[], ["tool.py"], ["notes.md"]])
def test_says_what_it_looked_for_in_a_folder(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(UsageError, match="no lock found in") as caught:
        find_source(write(tmp_path, *names))
    assert "uv.lock, pylock.toml, requirements.txt or pyproject.toml" in str(caught.value.hint)


def test_passes_over_a_pyproject_that_only_configures_tools(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no lock found"):
        find_source(tmp_path)


def test_names_a_source_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none does not exist"):
        find_source(tmp_path / "none")


@pytest.mark.parametrize("name", ["poetry.lock", "Pipfile.lock", "notes.md", "pylock.a.b.toml"])
def test_names_the_kinds_that_it_knows(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not a lock that wheelferry reads") as caught:
        find_source(write(tmp_path, name) / name)
    assert "pylock.<name>.toml" in str(caught.value.hint)


def test_refuses_a_script_that_states_no_dependencies(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print(1)\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"tool\.py is not a lock"):
        find_source(tmp_path / "tool.py")


def test_reads_the_indexes_of_the_project(tmp_path: Path) -> None:
    write(tmp_path, "uv.lock")
    (tmp_path / "uv.toml").write_text(f"[[index]]\nurl = '{URL}'\n", encoding="utf-8")
    assert indexes_of(find_source(tmp_path)) == (Index(url=URL),)


def test_reads_the_indexes_of_a_requirements_file(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"--index-url {URL}\n", encoding="utf-8")
    assert indexes_of(find_source(tmp_path)) == (Index(url=URL, default=True),)
