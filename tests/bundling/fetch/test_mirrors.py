"""Files from other places than the lock names: mirrors, logins, redirects, proxies, TLS."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.making.wheels import TinyWheel, make_wheel
from support.running.index import LocalIndex
from support.running.sites import JSON, Answer, Site, make_authority, serve_site
from wheelferry_bundler.fetch import certificates, transfers
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import Fetched, fetch
from wheelferry_bundler.model.locations import Index, Locations
from wheelferry_bundler.model.locked import Artifact
from wheelferry_schemas.errors import MalformedError, TransferError, UsageError, WheelferryError

NOBODY = "http://127.0.0.1:9"
WHEEL = make_wheel("demo-pkg")
LOGIN = "Basic " + base64.b64encode(b"alice:p@ss").decode()


@pytest.fixture(autouse=True)
def _no_settings_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSES", (0, 0, 0))
    monkeypatch.setitem(sys.modules, "keyring", None)
    for variable in certificates.VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        yield running


def get(url: str | None, cache: Cache, *mirrors: str, indexes: tuple[Index, ...] = ()) -> Fetched:
    """Fetch the wheel from that URL or a mirror."""
    wanted = Artifact(file_name=WHEEL.file_name, url=url, sha256=WHEEL.sha256)
    locations = Locations(mirrors=mirrors, indexes=indexes)
    return fetch([wanted], cache, lambda _name, _size: None, locations)[wanted]


def failure(url: str | None, cache: Cache, *mirrors: str) -> WheelferryError:
    """Fetch the wheel, which has to fail."""
    with pytest.raises(WheelferryError) as caught:
        get(url, cache, *mirrors)
    return caught.value


def json_page(url: str, wheel: TinyWheel = WHEEL) -> str:
    file = {"filename": wheel.file_name, "url": url, "hashes": {"sha256": wheel.sha256}}
    return json.dumps({"meta": {"api-version": "1.1"}, "files": [file]})


def test_takes_file_of_a_mirror_with_html_pages(index: LocalIndex, cache: Cache) -> None:
    index.add(WHEEL)
    assert get(f"{NOBODY}/{WHEEL.file_name}", cache, index.simple_url).size == WHEEL.size


def test_takes_file_of_a_mirror_with_json_pages(site: Site, cache: Cache) -> None:
    site.page("/simple/demo-pkg/", json_page("../../files/demo.whl"), JSON)
    site.answers["/files/demo.whl"] = Answer(WHEEL.data)
    assert get(f"{NOBODY}/{WHEEL.file_name}", cache, f"{site.url}/simple").size == WHEEL.size


def test_takes_source_archive_of_a_mirror(index: LocalIndex, cache: Cache) -> None:
    index.add_file("demo-1.0.tar.gz", b"archive")
    sha256 = index.hashes["demo-1.0.tar.gz"]
    wanted = Artifact(file_name="demo-1.0.tar.gz", url=f"{NOBODY}/demo-1.0.tar.gz", sha256=sha256)
    locations = Locations(mirrors=(index.simple_url,))
    fetched = fetch([wanted], cache, lambda _name, _size: None, locations)
    assert fetched[wanted].sha256 == sha256


def test_takes_file_for_which_the_lock_names_no_url(index: LocalIndex, cache: Cache) -> None:
    index.add(WHEEL)
    assert get(None, cache, index.simple_url).size == WHEEL.size


def test_asks_the_mirrors_before_the_locked_url(
    index: LocalIndex, site: Site, cache: Cache
) -> None:
    index.add(WHEEL)
    get(f"{site.url}/{WHEEL.file_name}", cache, index.simple_url)
    assert site.requests == []


def test_asks_a_mirror_for_a_page_once(index: LocalIndex, cache: Cache) -> None:
    wheels = [make_wheel("demo", f"1.{number}") for number in range(5)]
    index.add(*wheels)
    wanted = [Artifact(file_name=each.file_name, sha256=each.sha256) for each in wheels]
    fetch(wanted, cache, lambda _name, _size: None, Locations(mirrors=(index.simple_url,)))
    assert [path for path, _ in index.requests].count("/simple/demo/") == 1


def test_takes_file_of_the_second_mirror_where_the_first_lacks_it(
    index: LocalIndex, site: Site, cache: Cache
) -> None:
    index.add(WHEEL)
    assert get(None, cache, f"{site.url}/simple", index.simple_url).size == WHEEL.size


def test_takes_file_of_the_locked_url_where_the_mirror_lacks_it(
    index: LocalIndex, site: Site, cache: Cache
) -> None:
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    assert get(f"{site.url}/demo.whl", cache, index.simple_url).size == WHEEL.size


def test_passes_over_file_of_a_mirror_that_states_another_hash(
    index: LocalIndex, site: Site, cache: Cache
) -> None:
    index.add(make_wheel("demo-pkg", files={}))
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    assert get(f"{site.url}/demo.whl", cache, index.simple_url).size == WHEEL.size
    assert index.file_requests(WHEEL.file_name) == []


def test_goes_on_to_the_locked_url_where_a_mirror_serves_another_file(
    index: LocalIndex, site: Site, cache: Cache
) -> None:
    index.add(make_wheel("demo-pkg", files={}))
    index.hashes[WHEEL.file_name] = WHEEL.sha256
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    assert get(f"{site.url}/demo.whl", cache, index.simple_url).size == WHEEL.size


def test_refuses_other_file_of_a_mirror(index: LocalIndex, cache: Cache) -> None:
    index.add(make_wheel("demo-pkg", files={}))
    index.hashes[WHEEL.file_name] = WHEEL.sha256
    assert isinstance(failure(f"{NOBODY}/demo.whl", cache, index.simple_url), MalformedError)


def test_says_what_was_wrong_with_each_place(index: LocalIndex, site: Site, cache: Cache) -> None:
    index.add(make_wheel("demo-pkg", files={}))
    site.page("/json/demo-pkg/", "{}", JSON)
    error = failure(
        f"{NOBODY}/demo.whl", cache, f"{site.url}/none", index.simple_url, f"{site.url}/json"
    )
    here = site.url.removeprefix("http://")
    there = index.url.removeprefix("http://")
    assert error.message == (
        f"{WHEEL.file_name}: {here} does not have it; {there} has another file of that name; "
        f"{here}: the page lists no files; 127.0.0.1:9 cannot be reached"
    )


def test_sends_login_of_the_mirror_to_its_pages_and_files(site: Site, cache: Cache) -> None:
    site.page("/simple/demo-pkg/", json_page("/demo.whl"), JSON)
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    mirror = site.url.replace("://", "://alice:p%40ss@") + "/simple"
    get(None, cache, mirror)
    assert site.logins() == [LOGIN, LOGIN]


def test_sends_login_of_the_index_to_its_files(site: Site, cache: Cache) -> None:
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    index = Index(url=site.url.replace("://", "://alice:p%40ss@"))
    get(f"{site.url}/demo.whl", cache, indexes=(index,))
    assert site.logins() == [LOGIN]


def test_sends_login_of_netrc(site: Site, cache: Cache) -> None:
    netrc = Path.home() / ".netrc"
    netrc.write_text("machine 127.0.0.1 login alice password p@ss\n", encoding="utf-8")
    netrc.chmod(0o600)
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    get(f"{site.url}/demo.whl", cache)
    assert site.logins() == [LOGIN]


def test_asks_the_keyring_when_the_host_asks_for_a_login(
    index: LocalIndex, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SimpleNamespace(username="alice", password="p@ss")
    library = SimpleNamespace(get_credential=lambda _service, _user: found)
    monkeypatch.setitem(sys.modules, "keyring", library)
    index.add(WHEEL)
    index.login = ("alice", "p@ss")
    assert get(index.file_url(WHEEL.file_name), cache).size == WHEEL.size


def test_does_not_ask_the_keyring_of_a_host_that_wants_no_login(
    site: Site, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_credential(_service: str, _user: str | None) -> object:
        raise AssertionError

    library = SimpleNamespace(get_credential=get_credential)
    monkeypatch.setitem(sys.modules, "keyring", library)
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    get(f"{site.url}/demo.whl", cache)
    assert site.logins() == [None]


def test_says_how_to_log_in_where_no_login_is_known(index: LocalIndex, cache: Cache) -> None:
    index.login = ("alice", "p@ss")
    error = failure(index.file_url(WHEEL.file_name), cache)
    assert isinstance(error, TransferError)
    assert "401" in error.message
    assert "~/.netrc" in str(error.hint)
    assert len(index.requests) == 1


def test_says_that_the_login_is_refused_without_showing_it(index: LocalIndex, cache: Cache) -> None:
    index.login = ("alice", "p@ss")
    url = index.file_url(WHEEL.file_name).replace("://", "://bob:s3cret@")
    error = failure(url, cache)
    assert "refuses the login that was sent" in str(error.hint)
    assert "s3cret" not in f"{error} {error.hint}"


def test_does_not_send_the_login_on_to_the_host_of_a_redirect(site: Site, cache: Cache) -> None:
    with serve_site() as other:
        other.answers["/demo.whl"] = Answer(WHEEL.data)
        site.answers["/demo.whl"] = Answer(
            status=302, headers={"Location": f"{other.url}/demo.whl"}
        )
        get(site.url.replace("://", "://alice:p%40ss@") + "/demo.whl", cache)
        assert other.logins() == [None]


def test_sends_the_login_for_the_host_of_a_redirect(site: Site, cache: Cache) -> None:
    with serve_site() as other:
        other.answers["/demo.whl"] = Answer(WHEEL.data)
        site.answers["/demo.whl"] = Answer(
            status=302, headers={"Location": f"{other.url}/demo.whl"}
        )
        index = Index(url=other.url.replace("://", "://alice:p%40ss@"))
        get(f"{site.url}/demo.whl", cache, indexes=(index,))
        assert (site.logins(), other.logins()) == ([None], [LOGIN])


def test_goes_through_the_proxy_of_the_environment(
    site: Site, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", site.url)
    site.answers["http://index.example/demo.whl"] = Answer(WHEEL.data)
    assert get("http://index.example/demo.whl", cache).size == WHEEL.size


def test_goes_past_the_proxy_to_hosts_that_it_is_not_for(
    site: Site, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    site.answers["/demo.whl"] = Answer(WHEEL.data)
    assert get(f"{site.url}/demo.whl", cache).size == WHEEL.size


def test_names_the_proxy_as_what_cannot_be_used(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY.replace("://", "://me:s3cret@"))
    error = failure("http://index.example/demo.whl", cache)
    assert error.message.endswith("the proxy to index.example cannot be used")
    assert "s3cret" not in f"{error} {error.hint}"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"])
def test_accepts_certificates_of_the_authority_that_a_variable_names(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    authority, tls = make_authority(tmp_path)
    monkeypatch.setenv(variable, str(authority))
    with serve_site(tls) as site:
        site.answers["/demo.whl"] = Answer(WHEEL.data)
        assert get(f"{site.url}/demo.whl", cache).size == WHEEL.size


def test_refuses_certificates_of_an_unknown_authority(cache: Cache, tmp_path: Path) -> None:
    _, tls = make_authority(tmp_path)
    with serve_site(tls) as site:
        error = failure(f"{site.url}/demo.whl", cache)
        assert site.requests == []
    assert isinstance(error, TransferError)
    assert error.message.endswith(f"the certificate of {site.url[8:]} is not accepted")
    assert "SSL_CERT_FILE" in str(error.hint)


def test_names_the_variable_whose_certificates_are_not_there(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "none.pem"))
    error = failure("https://127.0.0.1:9/demo.whl", cache)
    assert isinstance(error, UsageError)
    assert "PIP_CERT" in error.message
