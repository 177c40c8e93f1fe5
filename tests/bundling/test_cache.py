from __future__ import annotations

import os
from pathlib import Path

import pytest

from wheelferry_bundler.cache import Cache

SHA256 = "ab" * 32


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def adopt(cache: Cache, content: bytes) -> Path:
    cache.partial(SHA256).write_bytes(content)
    return cache.adopt(cache.partial(SHA256), SHA256)


def test_lies_where_the_environment_says() -> None:
    assert Cache.default().folder == Path(os.environ["WHEELFERRY_CACHE_DIR"])


def test_lies_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHEELFERRY_CACHE_DIR")
    assert Cache.default().folder == Path(os.environ["XDG_CACHE_HOME"]) / "wheelferry"


def test_makes_no_folder_before_something_is_kept(cache: Cache) -> None:
    assert cache.get(SHA256) is None
    assert not cache.folder.exists()


def test_finds_what_it_adopted(cache: Cache) -> None:
    path = adopt(cache, b"content")
    assert cache.get(SHA256) == path
    assert path.read_bytes() == b"content"


def test_moves_what_it_adopts(cache: Cache) -> None:
    adopt(cache, b"content")
    assert not cache.partial(SHA256).exists()


def test_adopts_the_same_file_twice(cache: Cache) -> None:
    adopt(cache, b"content")
    assert adopt(cache, b"content").read_bytes() == b"content"


def test_does_not_find_a_file_of_another_size(cache: Cache) -> None:
    adopt(cache, b"cut")
    assert cache.get(SHA256, 7) is None


def test_does_not_find_what_was_dropped(cache: Cache) -> None:
    adopt(cache, b"content")
    cache.drop(SHA256)
    assert cache.get(SHA256) is None


def test_drops_what_is_not_there(cache: Cache) -> None:
    cache.drop(SHA256)
    assert cache.get(SHA256) is None


def test_removes_a_workspace_after_use(cache: Cache) -> None:
    with cache.workspace() as folder:
        (folder / "file").touch()
        assert folder.parent == cache.folder
    assert list(cache.folder.iterdir()) == []
