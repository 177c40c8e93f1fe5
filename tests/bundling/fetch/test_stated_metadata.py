"""METADATA without the wheel: from beside it, from the cache, and where there is none from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.index import LocalIndex
from support.running.sites import JSON, Answer, Site, serve_site
from wheelferry_bundler.fetch import transfers
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.stated_metadata import read_stated
from wheelferry_bundler.fetch.wheel_folders import list_folders
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import Artifact
from wheelferry_schemas.errors import MalformedError, TransferError

NOBODY = "http://127.0.0.1:9"
WHEEL = make_wheel("demo-pkg", requires=("in-the-wheel",))
BESIDE = b"Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: 1.0\nRequires-Dist: beside\n\nA book."


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSES", (0, 0, 0))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.answers["/files/demo.whl"] = Answer(WHEEL.data)
        yield running


def required(where: str | Path | None, cache: Cache, locations: Locations | None = None) -> str:
    """Return what the wheel at a URL or path requires, by what is found."""
    url = where if isinstance(where, str) else None
    path = where if isinstance(where, Path) else None
    wanted = Artifact(file_name=WHEEL.file_name, url=url, path=path, sha256=WHEEL.sha256)
    found = read_stated([wanted], cache, locations or Locations())
    (requirement,) = found[WHEEL.sha256].requires
    return requirement.name


def asked(site: Site) -> list[str]:
    return [path for path, _ in site.requests]


def test_takes_metadata_from_beside_the_wheel(site: Site, cache: Cache) -> None:
    site.answers["/files/demo.whl.metadata"] = Answer(BESIDE)
    assert required(f"{site.url}/files/demo.whl", cache) == "beside"
    assert asked(site) == ["/files/demo.whl.metadata"]


def test_asks_for_metadata_before_the_query_of_a_url(site: Site, cache: Cache) -> None:
    site.answers["/files/demo.whl.metadata?key=1"] = Answer(BESIDE)
    assert required(f"{site.url}/files/demo.whl?key=1", cache) == "beside"


def test_keeps_metadata_in_the_cache(site: Site, cache: Cache) -> None:
    site.answers["/files/demo.whl.metadata"] = Answer(BESIDE)
    required(f"{site.url}/files/demo.whl", cache)
    assert required(f"{NOBODY}/demo.whl", cache) == "beside"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404),
        Answer(status=403),
        Answer(status=503),
        Answer(b"<!DOCTYPE html>we have everything"),
        Answer(BESIDE.replace(b"Demo.Pkg", b"other")),
    ],
    ids=["absent", "forbidden", "out of order", "a page", "of another package"],
)
def test_takes_metadata_from_the_wheel_where_none_is_beside_it(
    site: Site, cache: Cache, answer: Answer
) -> None:
    site.answers["/files/demo.whl.metadata"] = answer
    assert required(f"{site.url}/files/demo.whl", cache) == "in-the-wheel"
    assert cache.get(WHEEL.sha256) is not None


def test_asks_nobody_about_a_wheel_that_is_here(site: Site, cache: Cache, tmp_path: Path) -> None:
    path = WHEEL.write(tmp_path / "wheels")
    locations = Locations(folders=list_folders((path.parent,)))
    assert required(f"{site.url}/files/demo.whl", cache, locations) == "in-the-wheel"
    assert required(path, cache) == "in-the-wheel"
    cache.partial(WHEEL.sha256).write_bytes(WHEEL.data)
    cache.adopt(cache.partial(WHEEL.sha256), WHEEL.sha256)
    assert required(f"{site.url}/files/demo.whl", cache) == "in-the-wheel"
    assert site.requests == []


def test_does_not_take_the_wheel_of_another_hash_for_it(
    site: Site, cache: Cache, tmp_path: Path
) -> None:
    make_wheel("demo-pkg", requires=("another",)).write(tmp_path / "wheels")
    locations = Locations(folders=list_folders((tmp_path / "wheels",)))
    assert required(f"{site.url}/files/demo.whl", cache, locations) == "in-the-wheel"


def page(metadata: object) -> str:
    file = {
        "filename": WHEEL.file_name,
        "url": "/files/demo.whl",
        "hashes": {"sha256": WHEEL.sha256},
        "core-metadata": metadata,
    }
    return json.dumps({"meta": {"api-version": "1.1"}, "files": [file]})


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (True, "beside"),
        ({"sha256": hashlib.sha256(BESIDE).hexdigest().upper()}, "beside"),
        ({"sha256": "0" * 64}, "in-the-wheel"),
        (False, "in-the-wheel"),
    ],
)
def test_believes_what_the_page_of_a_mirror_states(
    site: Site, cache: Cache, stated: object, expected: str
) -> None:
    site.page("/simple/demo-pkg/", page(stated), JSON)
    site.answers["/files/demo.whl.metadata"] = Answer(BESIDE)
    locations = Locations(mirrors=(f"{site.url}/simple",))
    assert required(f"{NOBODY}/demo.whl", cache, locations) == expected
    assert ("/files/demo.whl.metadata" in asked(site)) == bool(stated)


def test_says_that_nobody_can_be_asked(cache: Cache) -> None:
    with pytest.raises(TransferError, match="cannot be reached"):
        required(f"{NOBODY}/demo.whl", cache)


def test_refuses_wheel_of_another_hash(index: LocalIndex, cache: Cache) -> None:
    index.add_file(WHEEL.file_name, make_wheel("demo-pkg").data)
    with pytest.raises(MalformedError, match="the lock says"):
        required(index.file_url(WHEEL.file_name), cache)


def test_refuses_what_is_no_wheel(index: LocalIndex, cache: Cache) -> None:
    index.add_file(WHEEL.file_name, b"no wheel")
    wanted = Artifact(
        file_name=WHEEL.file_name,
        url=index.file_url(WHEEL.file_name),
        sha256=index.hashes[WHEEL.file_name],
    )
    with pytest.raises(MalformedError, match="is not a wheel"):
        read_stated([wanted], cache, Locations())
