from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.running.users import make_shared, needs_two_users, stranger_does
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_schemas.errors import ConflictError

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


# Whose folder it is.


@pytest.mark.parametrize("bits", [0o777, 0o775, 0o1777])
def test_refuses_cache_that_others_can_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(bits)
    monkeypatch.setenv("WHEELFERRY_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ConflictError, match="is writable by others"):
        Cache.default()


@needs_two_users
def test_refuses_cache_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = make_shared(tmp_path / "shared")
    stranger_does("mkdir -m 755 cache", cwd=shared)
    monkeypatch.setenv("WHEELFERRY_CACHE_DIR", str(shared / "cache"))
    with pytest.raises(ConflictError, match="belongs to another user"):
        Cache.default()


@needs_two_users
def test_refuses_cache_that_another_user_has_made_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = make_shared(tmp_path / "shared")
    monkeypatch.setenv("WHEELFERRY_CACHE_DIR", str(shared / "cache"))
    cache = Cache.default()
    stranger_does("mkdir -m 777 cache", cwd=shared)
    with pytest.raises(ConflictError, match="belongs to another user"):
        cache.partial(SHA256)


def test_takes_cache_at_a_link_that_leads_to_a_folder_of_this_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "cache").symlink_to("large")
    monkeypatch.setenv("WHEELFERRY_CACHE_DIR", str(tmp_path / "cache"))
    assert adopt(Cache.default(), b"content").exists()


@pytest.mark.parametrize("umask", [0o002, 0o000])
def test_nobody_else_can_write_to_the_cache_whatever_the_umask(cache: Cache, umask: int) -> None:
    before = os.umask(umask)
    try:
        adopt(cache, b"content")
    finally:
        os.umask(before)
    assert not cache.folder.stat().st_mode & 0o022
    cache.make()


def test_cache_in_a_shared_folder_is_for_this_user_alone(tmp_path: Path) -> None:
    cache = Cache(make_shared(tmp_path / "shared") / "cache")
    adopt(cache, b"content")
    assert cache.folder.stat().st_mode & 0o777 == 0o700
