"""A table is added to a project, and nothing else of it changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tomli

from wheelferry_bundler import api
from wheelferry_bundler.read.inputs import find_source
from wheelferry_bundler.read.settings_keys import Value
from wheelferry_bundler.write.settings_draft import draft_settings

PROJECTS = {
    "plain": b'[project]\nname = "a"\n',
    "comments and order": b"# first\n\n[tool.b]\nx=1 # why\n\n\n[project]\n  name = 'a'\n# last\n",
    "no newline at the end": b"[project]\nname = 'a'",
    "carriage returns": b"[project]\r\nname = 'a'\r\n",
    "a table tool": b"[tool]\nx = 1\n[tool.uv]\npackage = false\n",
    "tables far apart": b"[tool.a]\n[project]\nname = 'a'\n[[tool.uv.index]]\nurl = 'x'\n",
    "empty": b"",
    "unicode": "[project]\nname = 'a' # ünïcödé\n".encode(),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", PROJECTS)
def test_appends_and_keeps_every_byte(folder: Path, name: str) -> None:
    path = folder / "pyproject.toml"
    path.write_bytes(PROJECTS[name])
    path.chmod(0o640)
    draft = draft_settings(
        find_source(folder), {"platform": ("win32", "win_amd64"), "no-dev": True}
    )
    assert path.read_bytes() == PROJECTS[name]
    draft.add()
    after = path.read_bytes()
    assert after.startswith(PROJECTS[name])
    assert after == PROJECTS[name] + draft.text.encode()
    assert (b"\r\n" in PROJECTS[name]) == (b"\r\n" in draft.text.encode())
    data = tomli.loads(after.decode())
    table = data["tool"].pop("wheelferry")
    assert table == {"platform": ["win32", "win_amd64"], "no-dev": True}
    before = tomli.loads(PROJECTS[name].decode())
    assert {**before, "tool": before.get("tool", {})} == data
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_takes_no_table_is_left(folder: Path) -> None:
    path = folder / "pyproject.toml"
    path.write_text("tool = { x = 1 }\n", encoding="utf-8")
    with pytest.raises(api.UsageError, match="takes no further table") as caught:
        draft_settings(find_source(folder), {"no-dev": True})
    assert "wheelferry.toml" in str(caught.value.hint)


def test_without_a_project_file_it_is_a_file_of_its_own(folder: Path) -> None:
    draft_settings(find_source(folder), {"name": "a", "python": ("3.12",)}).add()
    text = (folder / "wheelferry.toml").read_text(encoding="utf-8")
    assert text == 'name = "a"\npython = "3.12"\n'


def test_paths_are_written_as_the_file_has_to_state_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = folder / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    options: dict[str, Value] = {"find-links": ("vendor",), "output": "out/{name}", "key": ("k",)}
    draft = draft_settings(find_source(Path("..")), options)
    assert draft.settings.values == {
        "find-links": (os.path.join("below", "vendor"),),
        "output": os.path.join("below", "out", "{name}"),
        "key": (str(below / "k"),),
    }


def test_settings_that_are_there_are_refused(folder: Path) -> None:
    (folder / "wheelferry.toml").write_text("", encoding="utf-8")
    with pytest.raises(api.ConflictError, match=r"wheelferry\.toml states settings already"):
        draft_settings(find_source(folder), {})


def test_a_script_is_refused(folder: Path) -> None:
    (folder / "a.py").write_text("# /// script\n# dependencies = []\n# ///\n", encoding="utf-8")
    with pytest.raises(api.UsageError, match="a script"):
        draft_settings(find_source(folder / "a.py"), {})


def test_a_secret_is_refused(folder: Path) -> None:
    with pytest.raises(api.UsageError, match="secrets do not belong here") as caught:
        draft_settings(find_source(folder), {"index-url": ("https://a:hunter2@index.example/",)})
    assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_written_is_as_it_was(folder: Path) -> None:
    draft = draft_settings(find_source(folder), {"no-dev": True})
    draft.path.mkdir()
    with pytest.raises(api.TransferError, match=r"wheelferry\.toml could not be written"):
        draft.add()
