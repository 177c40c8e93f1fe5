"""Reads the pages of an index: PEP 691 (JSON) and PEP 503 (HTML)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01"
)
_JSON = ("application/vnd.pypi.simple.v1+json", "application/json")
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html", "")


class PageError(ValueError):
    """A page that is not an index page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A file that a page offers; `sha256` is None where the page does not state it.

    `metadata` is the sha256 of the METADATA beside it (PEP 658), empty where the page does not
    state the hash, None where there is no such file.
    """

    file_name: str
    url: str
    sha256: str | None
    metadata: str | None = None


def parse_page(text: str, media_type: str, url: str) -> tuple[Link, ...]:
    """Return the links on a project's page, which is at `url`; raises `PageError`."""
    if media_type in _JSON:
        return _parse_json(text, url)
    if media_type in _HTML:
        parser = _Anchors(url)
        try:
            parser.feed(text)
            parser.close()
        except AssertionError as error:
            # `html.parser` raises this for an invalid declaration.
            raise PageError("the page is not HTML") from error
        return tuple(parser.links)
    raise PageError(f"{media_type} is not the media type of an index")


def _parse_json(text: str, url: str) -> tuple[Link, ...]:
    try:
        page = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PageError("the page is not JSON") from error
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise PageError("the page lists no files")
    # PEP 629: clients MUST fail on a major version that they do not know.
    meta = page.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise PageError(f"the page is of version {version!r}, known is version 1")
    return tuple(_json_link(file, url) for file in page["files"])


def _json_link(file: Any, url: str) -> Link:
    if not isinstance(file, dict) or not all(
        isinstance(file.get(key), str) for key in ("filename", "url")
    ):
        raise PageError("the page lists a file without name or URL")
    hashes: object = file.get("hashes")
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    return Link(
        file_name=file["filename"],
        url=_join(url, file["url"]),
        sha256=sha256.lower() if isinstance(sha256, str) else None,
        metadata=_json_metadata(file),
    )


def _json_metadata(file: Mapping[str, Any]) -> str | None:
    # PEP 714: the first key that is present counts.
    keys = (key for key in ("core-metadata", "dist-info-metadata") if key in file)
    stated = file.get(next(keys, ""))
    if not stated:
        return None
    sha256 = stated.get("sha256") if isinstance(stated, dict) else None
    return sha256.lower() if isinstance(sha256, str) else ""


def _join(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError as error:
        raise PageError(f"the page links to {link!r}, which is not a URL") from error


def _html_metadata(attributes: Mapping[str, str | None]) -> str | None:
    keys = ("data-core-metadata", "data-dist-info-metadata")
    stated = next((attributes[key] for key in keys if key in attributes), None)
    if stated is None:
        return None
    kind, _, digest = stated.partition("=")
    return digest.lower() if kind == "sha256" else ""


class _Anchors(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.links: list[Link] = []
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes: Mapping[str, str | None] = dict(attrs)
        href = attributes.get("href")
        if tag == "base" and href:
            self._base = _join(self._base, href)
        elif tag == "a" and href:
            url, fragment = urldefrag(_join(self._base, href))
            kind, _, digest = fragment.partition("=")
            # PEP 503: the text of the anchor MUST match the last part of the URL's path.
            name = unquote(urlsplit(url).path.rpartition("/")[2])
            sha256 = digest.lower() if kind == "sha256" else None
            self.links.append(
                Link(file_name=name, url=url, sha256=sha256, metadata=_html_metadata(attributes))
            )
        elif tag == "meta" and attributes.get("name") == "pypi:repository-version":
            version = attributes.get("content") or ""
            if version.partition(".")[0] != "1":
                raise PageError(f"the page is of version {version!r}, known is version 1")
