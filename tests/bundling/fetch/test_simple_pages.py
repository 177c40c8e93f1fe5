from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from support.running.sites import JSON
from wheelferry_bundler.fetch.simple_pages import Link, PageError, parse_page

URL = "https://index.example/simple/demo/"
NAME = "demo-1.0-py3-none-any.whl"


def json_page(**changes: object) -> str:
    """Return a page of one file, with some keys of the file changed."""
    file = {"filename": NAME, "url": f"../../files/{NAME}", "hashes": {"sha256": "ab"}, **changes}
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "files": [file]})


def test_reads_json_page() -> None:
    assert parse_page(json_page(), JSON, URL) == (
        Link(file_name=NAME, url=f"https://index.example/files/{NAME}", sha256="ab"),
    )


def test_reads_json_page_that_states_no_hash() -> None:
    assert parse_page(json_page(hashes={}), JSON, URL)[0].sha256 is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"meta": {"api-version": "1.0"}}',
        '{"meta": {"api-version": "2.0"}, "files": []}',
        '{"files": []}',
        json_page(url=None),
        json_page(filename=1),
    ],
    ids=["cut", "deep", "list", "no files", "version 2", "no version", "no URL", "no name"],
)
def test_refuses_malformed_json_page(text: str) -> None:
    with pytest.raises(PageError):
        parse_page(text, JSON, URL)


@pytest.mark.parametrize("media_type", ["text/html", "application/vnd.pypi.simple.v1+html"])
def test_reads_html_page(media_type: str) -> None:
    text = f'<!DOCTYPE html><a href="/files/{NAME}#sha256=AB">{NAME}</a><a name="x">none</a>'
    assert parse_page(text, media_type, URL) == (
        Link(file_name=NAME, url=f"https://index.example/files/{NAME}", sha256="ab"),
    )


@pytest.mark.parametrize("fragment", ["", "#md5=ab", "#egg"])
def test_reads_html_page_that_states_no_sha256(fragment: str) -> None:
    (link,) = parse_page(f'<a href="{NAME}{fragment}">x</a>', "text/html", URL)
    assert link == Link(file_name=NAME, url=f"{URL}{NAME}", sha256=None)


def test_reads_quoted_links_of_html_page() -> None:
    text = '<a href="demo-1.0%2Blocal-py3-none-any.whl?a=b&amp;c=d">x</a>'
    (link,) = parse_page(text, "text/html", URL)
    assert link.file_name == "demo-1.0+local-py3-none-any.whl"
    assert link.url.endswith("?a=b&c=d")


def test_obeys_base_of_html_page() -> None:
    text = f'<base href="https://files.example/all/"><a href="{NAME}">x</a>'
    assert parse_page(text, "text/html", URL)[0].url == f"https://files.example/all/{NAME}"


def test_refuses_html_page_of_a_later_version() -> None:
    with pytest.raises(PageError, match=r"version '2\.0'"):
        parse_page('<meta name="pypi:repository-version" content="2.0">', "text/html", URL)


def test_refuses_page_of_another_media_type() -> None:
    with pytest.raises(PageError, match="application/zip"):
        parse_page("PK", "application/zip", URL)


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        (json_page(url="https://[x"), JSON),
        ('<a href="https://[x">a</a>', "text/html"),
        ('<base href="https://[x"><a href="a">a</a>', "text/html"),
    ],
)
def test_refuses_page_with_what_is_no_url(text: str, media_type: str) -> None:
    with pytest.raises(PageError, match="is not a URL"):
        parse_page(text, media_type, URL)


def test_refuses_page_that_is_no_html(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(parser: HTMLParser, text: str) -> None:
        del parser
        raise AssertionError(f"as older Pythons have it of {text}")

    monkeypatch.setattr(HTMLParser, "feed", fail)
    with pytest.raises(PageError, match="not HTML"):
        parse_page("<![DOCTYPE html><a href='a'>a</a>", "text/html", URL)
