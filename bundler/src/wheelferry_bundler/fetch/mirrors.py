"""Finds the files of a lock on other indexes, by file name."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from wheelferry_bundler.fetch.simple_pages import ACCEPT, Link, PageError, parse_page
from wheelferry_bundler.fetch.transfers import AttemptError, Transfers
from wheelferry_bundler.model.locked import project_of
from wheelferry_bundler.model.urls import host


class Mirrors:
    """Indexes in order of preference; each page is fetched once."""

    def __init__(self, urls: Sequence[str], transfers: Transfers) -> None:
        self._urls = tuple(url.rstrip("/") for url in urls)
        self._transfers = transfers
        self._pages: dict[str, tuple[Link, ...] | AttemptError] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, file_name: str, sha256: str) -> tuple[list[str], list[AttemptError]]:
        """Return the URLs of a file on these indexes, and why the others have none."""
        links, problems = self.links(file_name, sha256)
        return [link.url for link in links], problems

    def links(self, file_name: str, sha256: str) -> tuple[list[Link], list[AttemptError]]:
        """Return the links to a file on these indexes, and why the others have none.

        A file of that name with another stated hash does not count.
        """
        project = project_of(file_name)
        found: list[Link] = []
        problems: list[AttemptError] = []
        for index in self._urls if project else ():
            links = self._links(f"{index}/{project}/")
            if isinstance(links, AttemptError):
                problems.append(links)
                continue
            same = [link for link in links if link.file_name == file_name]
            fitting = [link for link in same if link.sha256 in (None, sha256)]
            found += fitting
            if not fitting:
                what = "has another file of that name" if same else "does not have it"
                problems.append(AttemptError(f"{host(index)} {what}"))
        return found, problems

    def _links(self, url: str) -> tuple[Link, ...] | AttemptError:
        with self._lock:
            lock = self._locks.setdefault(url, threading.Lock())
        with lock:
            if url not in self._pages:
                self._pages[url] = self._read(url)
            return self._pages[url]

    def _read(self, url: str) -> tuple[Link, ...] | AttemptError:
        try:
            page = self._transfers.page(url, ACCEPT)
            return parse_page(page.text, page.media_type, page.url) if page else ()
        except AttemptError as problem:
            return problem
        except PageError as error:
            return AttemptError(
                f"{host(url)}: {error}", "is it the URL of an index, as in --index-url of pip?"
            )
