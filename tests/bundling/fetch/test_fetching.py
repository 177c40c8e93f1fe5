from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from support.making.wheels import TinyWheel, make_wheel
from support.running.index import LocalIndex
from support.running.sites import Answer, serve_site
from wheelferry_bundler.fetch import fetching, transfers
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import Fetched, fetch, total_size
from wheelferry_bundler.fetch.file_lock import try_lock
from wheelferry_bundler.fetch.transfers import CHUNK
from wheelferry_bundler.fetch.wheel_folders import list_folders
from wheelferry_bundler.model.locations import Index, Locations
from wheelferry_bundler.model.locked import Artifact
from wheelferry_schemas.errors import MalformedError, TransferError, UsageError, WheelferryError

NOBODY = "http://127.0.0.1:9"
"""The discard port, where nothing listens."""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSES", (0, 0, 0))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def wheel(index: LocalIndex) -> TinyWheel:
    """A wheel of some size that is on the index."""
    wheel = make_wheel("demo", files={"demo.bin": os.urandom(5 * CHUNK)})
    index.add(wheel)
    return wheel


def artifact(wheel: TinyWheel, url: str, *, size: int | None = None) -> Artifact:
    return Artifact(file_name=wheel.file_name, url=url, sha256=wheel.sha256, size=size)


def get(wanted: Artifact, cache: Cache, locations: Locations | None = None) -> Fetched:
    """Fetch one file."""
    return fetch([wanted], cache, lambda _name, _size: None, locations)[wanted]


def failure(wanted: Artifact, cache: Cache, locations: Locations | None = None) -> WheelferryError:
    """Fetch one file, which has to fail."""
    with pytest.raises(WheelferryError) as caught:
        get(wanted, cache, locations)
    return caught.value


def test_fetches_file_into_the_cache(index: LocalIndex, wheel: TinyWheel, cache: Cache) -> None:
    fetched = get(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert fetched == Fetched(path=cache.path(wheel.sha256), sha256=wheel.sha256, size=wheel.size)
    assert fetched.path.read_bytes() == wheel.data


def test_makes_no_request_for_what_is_in_the_cache(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    wanted = artifact(wheel, index.file_url(wheel.file_name))
    get(wanted, cache)
    index.requests.clear()
    get(wanted, cache)
    assert index.requests == []


def test_fetches_again_what_lies_in_the_cache_cut_short(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    wanted = artifact(wheel, index.file_url(wheel.file_name), size=wheel.size)
    get(wanted, cache).path.write_bytes(wheel.data[:100])
    assert get(wanted, cache).path.read_bytes() == wheel.data


def test_tells_each_file_and_its_size_as_it_arrives(index: LocalIndex, cache: Cache) -> None:
    wheels = [make_wheel(f"demo{number}") for number in range(3)]
    index.add(*wheels)
    told: list[tuple[str, int]] = []
    fetch(
        [artifact(wheel, index.file_url(wheel.file_name)) for wheel in wheels],
        cache,
        lambda name, size: told.append((name, size)),
    )
    assert sorted(told) == sorted((wheel.file_name, wheel.size) for wheel in wheels)


def test_tells_how_much_of_a_large_file_is_there(index: LocalIndex, cache: Cache) -> None:
    wheel = make_wheel("demo", files={"demo.bin": os.urandom(4 * transfers.CHUNK)})
    index.add(wheel)
    index.cut_after[wheel.file_name] = [2 * transfers.CHUNK]
    told: list[int] = []
    fetch(
        [artifact(wheel, index.file_url(wheel.file_name), size=wheel.size)],
        cache,
        lambda _name, size: told.append(size),
    )
    assert len(told) > 3
    assert sum(told) == wheel.size


def test_fetches_files_side_by_side(cache: Cache) -> None:
    wheels = [make_wheel(f"demo{number}") for number in range(4)]
    with serve_site() as site:
        site.together = threading.Barrier(len(wheels))
        site.answers = {f"/{wheel.file_name}": Answer(wheel.data) for wheel in wheels}
        wanted = [artifact(wheel, f"{site.url}/{wheel.file_name}") for wheel in wheels]
        fetched = fetch(wanted, cache, lambda _name, _size: None)
    assert [fetched[each].sha256 for each in wanted] == [wheel.sha256 for wheel in wheels]


def test_goes_on_where_a_connection_broke_off(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    index.cut_after[wheel.file_name] = [CHUNK, CHUNK + 1]
    assert get(artifact(wheel, index.file_url(wheel.file_name)), cache).size == wheel.size
    ranges = [None, f"bytes={CHUNK}-", f"bytes={2 * CHUNK}-"]
    assert index.file_requests(wheel.file_name) == ranges


def test_goes_on_where_an_earlier_run_stopped(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    cache.partial(wheel.sha256).write_bytes(wheel.data[:1000])
    get(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert index.file_requests(wheel.file_name) == ["bytes=1000-"]


def test_asks_for_nothing_more_where_an_earlier_run_had_everything(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    cache.partial(wheel.sha256).write_bytes(wheel.data)
    get(artifact(wheel, index.file_url(wheel.file_name), size=wheel.size), cache)
    assert index.requests == []


def test_takes_what_an_earlier_run_had_where_the_size_is_unknown(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    cache.partial(wheel.sha256).write_bytes(wheel.data)
    get(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert index.file_requests(wheel.file_name) == [f"bytes={wheel.size}-"]


def test_starts_again_where_an_earlier_run_left_other_bytes(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    cache.partial(wheel.sha256).write_bytes(b"x" * 1000)
    assert get(artifact(wheel, index.file_url(wheel.file_name)), cache).size == wheel.size
    assert index.file_requests(wheel.file_name) == ["bytes=1000-", None]


def test_starts_again_where_the_host_knows_no_ranges(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    index.ranges = False
    index.cut_after[wheel.file_name] = [CHUNK]
    fetched = get(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert fetched.path.read_bytes() == wheel.data


def test_keeps_what_it_has_where_connections_break_off_for_good(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    index.cut_after[wheel.file_name] = [CHUNK] * 4
    error = failure(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert isinstance(error, TransferError)
    assert "kept breaking" in error.message
    assert error.hint == "run the same command again to resume"
    assert cache.partial(wheel.sha256).read_bytes() == wheel.data[: 4 * CHUNK]


def test_follows_redirects(index: LocalIndex, wheel: TinyWheel, cache: Cache) -> None:
    index.redirects["moved.whl"] = index.file_url(wheel.file_name)
    assert get(artifact(wheel, index.file_url("moved.whl")), cache).size == wheel.size


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_asks_again_after_passing_failures(
    index: LocalIndex, wheel: TinyWheel, cache: Cache, status: int
) -> None:
    index.statuses[wheel.file_name] = [status, status, status]
    assert get(artifact(wheel, index.file_url(wheel.file_name)), cache).size == wheel.size


def test_gives_up_after_the_fourth_failure(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    index.statuses[wheel.file_name] = [503] * 5
    error = failure(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert error.message.endswith("answers 503 Service Unavailable")
    assert len(index.requests) == 4


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (403, "refuses this login or this host"),
        (404, "gone from the index: lock the project again"),
    ],
)
def test_asks_once_and_gives_advice_where_the_host_refuses(
    index: LocalIndex, wheel: TinyWheel, cache: Cache, status: int, hint: str
) -> None:
    index.statuses[wheel.file_name] = [status] * 5
    error = failure(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert isinstance(error, TransferError)
    assert f"{wheel.file_name}: 127.0.0.1:" in error.message
    assert str(status) in error.message
    assert hint in str(error.hint)
    assert len(index.requests) == 1


def test_reads_from_slow_hosts(index: LocalIndex, wheel: TinyWheel, cache: Cache) -> None:
    index.delay = 0.3
    assert get(artifact(wheel, index.file_url(wheel.file_name)), cache).size == wheel.size


def test_names_both_hashes_and_the_file_where_the_content_is_another(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    other = make_wheel("demo", files={"demo.py": b"changed"})
    index.add(other)
    error = failure(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert isinstance(error, MalformedError)
    assert error.exit_code == 4
    assert error.message == (
        f"{wheel.file_name} has sha256 {other.sha256}, the lock says {wheel.sha256}"
    )


def test_keeps_nothing_of_a_file_with_another_hash(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    index.add(make_wheel("demo", files={"demo.py": b"changed"}))
    failure(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert cache.partial(wheel.sha256).read_bytes() == b""
    assert cache.get(wheel.sha256) is None


def test_stops_reading_where_a_host_sends_more_than_the_lock_states(
    wheel: TinyWheel, cache: Cache
) -> None:
    with serve_site() as site:
        site.answers["/demo.whl"] = Answer(bytes(5 * 2**20))
        error = failure(artifact(wheel, f"{site.url}/demo.whl", size=wheel.size), cache)
    assert isinstance(error, MalformedError)
    assert f"more than the {wheel.size} bytes" in error.message
    assert cache.partial(wheel.sha256).stat().st_size <= wheel.size


def test_names_a_host_that_cannot_be_reached(wheel: TinyWheel, cache: Cache) -> None:
    error = failure(artifact(wheel, f"{NOBODY}/{wheel.file_name}"), cache)
    assert isinstance(error, TransferError)
    assert error.message == f"{wheel.file_name}: 127.0.0.1:9 cannot be reached"
    assert "HTTPS_PROXY" in str(error.hint)


def test_tries_a_silent_host_for_the_first_files_only(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_WORKERS", 1)
    tried: list[str] = []
    original = transfers.Transfers._get

    def get_and_count(self: transfers.Transfers, url: str, headers: dict[str, str]) -> object:
        tried.append(url)
        return original(self, url, headers)

    monkeypatch.setattr(transfers.Transfers, "_get", get_and_count)
    wheels = [make_wheel(f"demo{number}") for number in range(20)]
    wanted = [artifact(wheel, f"{NOBODY}/{wheel.file_name}") for wheel in wheels]
    with pytest.raises(TransferError, match="20 of 20 files"):
        fetch(wanted, cache, lambda _name, _size: None)
    assert len(tried) == 4


def test_tells_once_of_a_host_that_cannot_be_reached(cache: Cache, index: LocalIndex) -> None:
    there = make_wheel("there")
    wanted = [
        artifact(w, f"{NOBODY}/{w.file_name}") for w in map(make_wheel, ("one", "two", "three"))
    ]
    wanted.append(artifact(there, index.file_url(there.file_name)))
    with pytest.raises(TransferError, match="4 of 4 files") as caught:
        fetch(wanted, cache, lambda _name, _size: None)
    about_there, about_host = caught.value.details
    assert about_there.startswith(there.file_name)
    assert about_host == "one-1.0-py3-none-any.whl: 127.0.0.1:9 cannot be reached, and 2 more"


def test_collects_all_failures_into_one_error(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    gone = [make_wheel("gone1"), make_wheel("gone2")]
    wanted = [artifact(each, index.file_url(each.file_name)) for each in (wheel, *gone)]
    with pytest.raises(TransferError) as caught:
        fetch(wanted, cache, lambda _name, _size: None)
    assert caught.value.message == "2 of 3 files could not be fetched"
    assert [line.split(":")[0] for line in caught.value.details] == [
        each.file_name for each in gone
    ]
    assert caught.value.hint == "the file is gone from the index: lock the project again"


def test_reports_tampering_where_one_of_several_failures_is_that(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    gone = make_wheel("gone")
    index.add(make_wheel("demo", files={"demo.py": b"changed"}))
    wanted = [artifact(each, index.file_url(each.file_name)) for each in (wheel, gone)]
    with pytest.raises(MalformedError):
        fetch(wanted, cache, lambda _name, _size: None)


def test_keeps_what_did_arrive_where_others_failed(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    gone = make_wheel("gone")
    wanted = [artifact(each, index.file_url(each.file_name)) for each in (wheel, gone)]
    with pytest.raises(TransferError):
        fetch(wanted, cache, lambda _name, _size: None)
    assert cache.get(wheel.sha256) is not None


def test_says_where_the_cache_is_when_the_disk_is_full(
    index: LocalIndex, wheel: TinyWheel, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(transfers.Transfers, "receive", fill_the_disk)
    error = failure(artifact(wheel, index.file_url(wheel.file_name)), cache)
    assert isinstance(error, TransferError)
    assert error.message == f"{wheel.file_name}: No space left on device"
    assert str(cache.folder) in str(error.hint)


def test_leaves_the_partial_file_of_another_run_alone(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    partial = cache.partial(wheel.sha256)
    with partial.open("ab") as other:
        other.write(b"of another run")
        other.flush()
        assert try_lock(other)
        assert get(artifact(wheel, index.file_url(wheel.file_name)), cache).size == wheel.size
    assert partial.read_bytes() == b"of another run"
    assert [path.name for path in partial.parent.iterdir()] == [partial.name]


def test_stops_all_transfers_when_interrupted(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    def interrupt(_name: str, _size: int) -> None:
        raise KeyboardInterrupt

    others = [make_wheel(f"demo{number}") for number in range(30)]
    index.delay = 0.05
    wanted = [artifact(each, index.file_url(each.file_name)) for each in (wheel, *others)]
    with pytest.raises(KeyboardInterrupt):
        fetch(wanted, cache, interrupt)
    assert len(index.requests) < len(wanted)


def test_takes_the_file_that_the_lock_names_by_path(cache: Cache, tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    path = wheel.write(tmp_path / "vendor")
    wanted = Artifact(file_name=wheel.file_name, path=path, sha256=wheel.sha256)
    assert get(wanted, cache).path == path


def test_refuses_a_changed_file_that_the_lock_names_by_path(cache: Cache, tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    path = make_wheel("demo", files={}).write(tmp_path)
    error = failure(Artifact(file_name=wheel.file_name, path=path, sha256=wheel.sha256), cache)
    assert isinstance(error, MalformedError)
    assert wheel.sha256 in error.message


def test_names_a_path_that_is_not_there(cache: Cache, tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    path = tmp_path / wheel.file_name
    error = failure(Artifact(file_name=wheel.file_name, path=path, sha256=wheel.sha256), cache)
    assert isinstance(error, TransferError)
    assert str(path) in error.message


def test_takes_a_file_of_a_folder_by_its_hash(cache: Cache, tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    path = wheel.write(tmp_path / "links")
    locations = Locations(folders=list_folders((tmp_path / "links",)))
    assert get(artifact(wheel, f"{NOBODY}/{wheel.file_name}"), cache, locations).path == path


def test_passes_over_a_file_of_a_folder_with_another_hash(
    index: LocalIndex, wheel: TinyWheel, cache: Cache, tmp_path: Path
) -> None:
    make_wheel("demo", files={}).write(tmp_path / "links")
    locations = Locations(folders=list_folders((tmp_path / "links",)))
    fetched = get(artifact(wheel, index.file_url(wheel.file_name)), cache, locations)
    assert fetched.path == cache.path(wheel.sha256)


def test_refuses_a_folder_of_wheels_that_is_not_there(cache: Cache, tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    with pytest.raises(UsageError, match="--find-links"):
        get(artifact(wheel, NOBODY), cache, Locations(folders=list_folders((tmp_path / "none",))))


def test_shows_no_credentials_whatever_goes_wrong(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    def with_login(url: str) -> str:
        return url.replace("://", "://user:s3cret@") + "?token=t0ken"

    index.statuses["refused.whl"] = [403]
    index.add(make_wheel("demo", files={"demo.py": b"changed"}))
    urls = [
        with_login(index.file_url("gone.whl")),
        with_login(index.file_url("refused.whl")),
        with_login(index.file_url(wheel.file_name)),
        with_login(f"{NOBODY}/gone.whl"),
        with_login("http://[half/gone.whl"),
        with_login("gopher://127.0.0.1/gone.whl"),
    ]
    locations = Locations(mirrors=(with_login(NOBODY),), indexes=(Index(url=with_login(NOBODY)),))
    for url in urls:
        error = failure(artifact(wheel, url), cache, locations)
        said = f"{error} {error.hint} {error!r} {locations}"
        assert "s3cret" not in said
        assert "t0ken" not in said


def test_hashes_a_file_for_which_the_lock_states_no_hash(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    fetched = get(Artifact(file_name=wheel.file_name, url=index.file_url(wheel.file_name)), cache)
    assert (fetched.sha256, fetched.size) == (wheel.sha256, wheel.size)
    assert fetched.path == cache.get(wheel.sha256)


def test_fetches_files_with_and_without_stated_hash_together(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    other = make_wheel("other")
    index.add(other)
    stated = artifact(wheel, index.file_url(wheel.file_name))
    unstated = Artifact(file_name=other.file_name, url=index.file_url(other.file_name))
    fetched = fetch([stated, unstated], cache, lambda _name, _size: None)
    assert fetched[stated].sha256 == wheel.sha256
    assert fetched[unstated].sha256 == other.sha256


def test_fetches_a_file_that_several_locks_name_once(
    index: LocalIndex, wheel: TinyWheel, cache: Cache
) -> None:
    url = index.file_url(wheel.file_name)
    wanted = [artifact(wheel, f"{NOBODY}/{wheel.file_name}"), artifact(wheel, url)]
    fetched = fetch(wanted, cache, lambda _name, _size: None)
    assert [fetched[each].sha256 for each in wanted] == [wheel.sha256] * 2
    assert len(index.requests) == 1
    assert total_size([artifact(wheel, url, size=7), artifact(wheel, f"{url}?x", size=7)]) == 7


def test_names_a_file_for_which_the_lock_states_nothing(cache: Cache) -> None:
    with pytest.raises(TransferError, match=r"a\.whl: the lock does not say where it is"):
        get(Artifact(file_name="a.whl"), cache)


def test_hashes_a_path_for_which_the_lock_states_no_hash(cache: Cache, tmp_path: Path) -> None:
    wheel = make_wheel("demo")
    unstated = Artifact(file_name=wheel.file_name, path=wheel.write(tmp_path))
    assert get(unstated, cache).sha256 == wheel.sha256
