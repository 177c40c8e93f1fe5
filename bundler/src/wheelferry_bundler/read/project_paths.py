"""The paths in a lock, and whether they lead out of the project."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.request import url2pathname

from wheelferry_bundler.model.locked import Artifact, PackageSource
from wheelferry_bundler.model.urls import split_url

_FILE_URL = re.compile(r"\s*file:", re.IGNORECASE)


def local_path(url: str) -> Path | None:
    """Return the file on this host that a `file:` URL names, None for any other URL."""
    return Path(url2pathname(split_url(url).path)) if _FILE_URL.match(url) else None


def leaves(folder: Path, location: str) -> bool:
    """Return whether a path leads out of a folder, by its spelling: links are not followed."""
    try:
        relative = os.path.relpath(folder / location, folder)
    except ValueError:
        # Another drive on Windows.
        return True
    return relative == os.pardir or relative.startswith(os.pardir + os.sep)


def confined(
    source: PackageSource, artifacts: Iterable[Artifact | None], folder: Path
) -> PackageSource:
    """Return a source that states whether one of its files lies outside the project."""
    paths = (artifact.path for artifact in artifacts if artifact and artifact.path)
    if any(leaves(folder, os.path.abspath(path)) for path in paths):
        return dataclasses.replace(source, leaves_project=True)
    return source
