from __future__ import annotations

from pathlib import Path

import pytest

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.read.index_settings import known_indexes
from wheelferry_schemas.errors import MalformedError

URL = "https://index.example/simple"


def test_reads_indexes_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'[[tool.uv.index]]\nname = "own"\nurl = "{URL}"\n'
        f'[[tool.uv.index]]\nurl = "{URL}2"\ndefault = true\n',
        encoding="utf-8",
    )
    assert known_indexes(tmp_path, {}) == (
        Index(url=URL, name="own"),
        Index(url=f"{URL}2", default=True),
    )


def test_reads_indexes_of_uv_toml(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text(
        f'index-url = "{URL}"\nextra-index-url = ["{URL}2"]\n[[index]]\nurl = "{URL}3"\n'
        f'[pip]\nindex-url = "{URL}4"\n',
        encoding="utf-8",
    )
    urls = [index.url for index in known_indexes(tmp_path, {})]
    assert urls == [f"{URL}3", URL, f"{URL}2", f"{URL}4"]


def test_reads_indexes_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "config" / "uv").mkdir(parents=True)
    (tmp_path / "config" / "uv" / "uv.toml").write_text(f'index-url = "{URL}"', encoding="utf-8")
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert known_indexes(tmp_path, environ) == (Index(url=URL, default=True),)


def test_reads_indexes_of_the_file_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(f'index-url = "{URL}"', encoding="utf-8")
    environ = {"UV_CONFIG_FILE": str(tmp_path / "own.toml")}
    assert known_indexes(tmp_path, environ) == (Index(url=URL, default=True),)


@pytest.mark.parametrize("variable", ["UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL"])
def test_reads_index_of_the_environment(tmp_path: Path, variable: str) -> None:
    assert known_indexes(tmp_path, {variable: URL}) == (Index(url=URL, default=True),)


@pytest.mark.parametrize("variable", ["UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"])
def test_reads_several_indexes_of_the_environment(tmp_path: Path, variable: str) -> None:
    found = known_indexes(tmp_path, {variable: f"{URL} {URL}?a=b"})
    assert found == (Index(url=URL), Index(url=f"{URL}?a=b"))


def test_reads_the_name_of_an_index_of_the_environment(tmp_path: Path) -> None:
    found = known_indexes(tmp_path, {"UV_DEFAULT_INDEX": f"my-own={URL}"})
    assert found == (Index(url=URL, name="my-own", default=True),)


def test_passes_over_folders_that_serve_as_index(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text('[[index]]\nurl = "./wheels"\n', encoding="utf-8")
    assert known_indexes(tmp_path, {}) == ()


def test_refuses_malformed_settings(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("index = 'none'", encoding="utf-8")
    with pytest.raises(MalformedError, match=r"uv\.toml: index is not a list"):
        known_indexes(tmp_path, {})


def test_does_not_show_the_login_of_an_index() -> None:
    assert "s3cret" not in repr(Index(url="https://me:s3cret@index.example/simple"))
