"""Reads the METADATA of wheels, if possible without the wheels themselves (PEP 658).

A file that an index offers beside a wheel is checked against the hash that the index states.
Otherwise the wheel is fetched, which is needed anyway.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import connections, fetch, lies_here
from wheelferry_bundler.fetch.mirrors import Mirrors
from wheelferry_bundler.fetch.transfers import AttemptError, Transfers
from wheelferry_bundler.fetch.wheel_metadata import read_metadata
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import Artifact
from wheelferry_bundler.select.closure import Stated, parse_metadata

_WORKERS = 8
_ACCEPT = "*/*"


def read_stated(
    wheels: Iterable[Artifact],
    cache: Cache,
    locations: Locations,
    on_progress: Callable[[str, int], None] = lambda _name, _size: None,
    *,
    without_wheels: bool = False,
) -> Mapping[str, Stated]:
    """Return the metadata of wheels by their sha256; those without a stated one are skipped.

    `on_progress` is called with each file name. With `without_wheels`, no wheel is fetched, and
    what only the wheel itself states is missing. Raises `MalformedError`, and `TransferError` where
    an index cannot be reached.
    """
    wanted = {wheel.sha256: wheel for wheel in wheels if wheel.sha256 is not None}
    apart = {
        sha256: wheel for sha256, wheel in wanted.items() if not lies_here(wheel, cache, locations)
    }
    found: dict[str, Stated] = {}
    with connections(locations) as (transfers, mirrors), ThreadPoolExecutor(_WORKERS) as pool:
        finder = _Finder(cache, transfers, mirrors)
        try:
            for (sha256, wheel), stated in zip(
                apart.items(), pool.map(finder.find, apart.values()), strict=True
            ):
                if stated is not None:
                    found[sha256] = stated
                    on_progress(wheel.file_name, 1)
        except BaseException:
            transfers.stop()
            raise
    passed_over = apart.keys() if without_wheels else found.keys()
    rest = [wheel for sha256, wheel in wanted.items() if sha256 not in {*found, *passed_over}]
    for wheel, file in fetch(rest, cache, lambda name, _: on_progress(name, 1), locations).items():
        stated = stated_by(file.path, wheel.file_name)
        if stated is not None:
            found[file.sha256] = stated
    return found


def stated_by(path: Path, file_name: str) -> Stated | None:
    """Return the metadata of a wheel on this host; raises `MalformedError` for an invalid one."""
    return parse_metadata(read_metadata(path, file_name))


@dataclass(frozen=True, slots=True)
class _Finder:
    cache: Cache
    transfers: Transfers
    mirrors: Mirrors

    def find(self, wheel: Artifact) -> Stated | None:
        """Return the metadata in the file beside a wheel, None where there is no usable one."""
        kept = self.cache.metadata_path(wheel.sha256 or "")
        with contextlib.suppress(OSError):
            if (stated := _stated_of(wheel, kept.read_bytes())) is not None:
                return stated
        for url, sha256 in self._places(wheel):
            with contextlib.suppress(AttemptError):
                page = self.transfers.page(url, _ACCEPT)
                if page is None or (sha256 and hashlib.sha256(page.data).hexdigest() != sha256):
                    continue
                if (stated := _stated_of(wheel, page.data)) is not None:
                    self.cache.keep_metadata(wheel.sha256 or "", page.data)
                    return stated
        return None

    def _places(self, wheel: Artifact) -> list[tuple[str, str | None]]:
        """Return the URLs where such a file may be, with its hash where an index states it."""
        links, _ = self.mirrors.links(wheel.file_name, wheel.sha256 or "")
        if links:
            # These pages state whether there is one.
            return [
                (_beside(link.url), link.metadata or None)
                for link in links
                if link.metadata is not None
            ]
        return [(_beside(wheel.url), None)] if wheel.url else []


def _beside(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path}.metadata").geturl()


def _stated_of(wheel: Artifact, metadata: bytes) -> Stated | None:
    """Return the parsed METADATA, None where it is not the wheel's: some hosts answer any URL."""
    stated = parse_metadata(metadata)
    return stated if stated is not None and stated.name == wheel.name_and_version[0] else None
