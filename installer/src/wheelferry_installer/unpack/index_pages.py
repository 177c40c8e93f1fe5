"""Makes the pages of a static package index (PEP 503, 691, 700, and 658 as corrected by 714); pure.

    simple/index.html  index.json             the projects
    simple/<name>/index.html  index.json      the files of a project
    files/<wheel>  files/<wheel>.metadata     what they link to

All links are relative, so that the folder can be served under any path. When another bundle is
added, the JSON pages are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from packaging.version import Version

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

FILES = "files"
SIMPLE = "simple"
HTML, JSON = "index.html", "index.json"
_API_VERSION = "1.1"
_PAGE = """<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="{version}">
    <title>{title}</title>
  </head>
  <body>
    <h1>{title}</h1>
{links}  </body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """A wheel of an index; `metadata_sha256` is the hash of the METADATA file beside it."""

    file_name: str
    sha256: str
    size: int
    requires_python: str | None
    metadata_sha256: str

    @property
    def version(self) -> str:
        """The version of the project."""
        return str(parse_wheel_name(self.file_name)[1])

    @property
    def url(self) -> str:
        """The link from the project's page."""
        # Some servers read + as a space.
        return f"../../{FILES}/{self.file_name.replace('+', '%2B')}"


def project_pages(name: str, files: Iterable[IndexedFile]) -> dict[str, bytes]:
    """Return the pages of a project by their paths in the index."""
    files = sorted(files, key=lambda file: file.file_name)
    data = {
        "meta": {"api-version": _API_VERSION},
        "name": name,
        "versions": sorted({file.version for file in files}, key=Version),
        "files": [_as_json(file) for file in files],
    }
    return _pages(f"{SIMPLE}/{name}", f"Links for {name}", map(_as_link, files), data)


def root_pages(names: Iterable[str]) -> dict[str, bytes]:
    """Return the pages that list the projects."""
    names = sorted(names)
    links = (f'<a href="{name}/">{name}</a>' for name in names)
    data = {
        "meta": {"api-version": _API_VERSION},
        "projects": [{"name": name} for name in names],
    }
    return _pages(SIMPLE, "Simple index", links, data)


def read_project_page(data: bytes, path: str) -> list[IndexedFile]:
    """Read a project's JSON page that this module wrote; raises `MalformedError`."""
    try:
        return [
            IndexedFile(
                file_name=_text(file["filename"]),
                sha256=_text(file["hashes"]["sha256"]),
                size=_number(file["size"]),
                requires_python=_text(file["requires-python"])
                if "requires-python" in file
                else None,
                metadata_sha256=_text(file["core-metadata"]["sha256"]),
            )
            for file in json.loads(data)["files"]
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _not_ours(path) from error


def read_root_page(data: bytes, path: str) -> list[str]:
    """Read the JSON page of all projects that this module wrote; raises `MalformedError`."""
    try:
        return [_text(project["name"]) for project in json.loads(data)["projects"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _not_ours(path) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _not_ours(path: str) -> MalformedError:
    return MalformedError(
        f"{path} is not a page that wheelferry wrote",
        hint="name a folder that is new, empty, or an index that 'bundle unpack' made",
    )


def _as_json(file: IndexedFile) -> dict[str, Any]:
    metadata = {"sha256": file.metadata_sha256}
    page = {
        "filename": file.file_name,
        "url": file.url,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "core-metadata": metadata,
        "dist-info-metadata": metadata,
    }
    if file.requires_python is not None:
        page["requires-python"] = file.requires_python
    return page


def _as_link(file: IndexedFile) -> str:
    attributes = {
        "href": f"{file.url}#sha256={file.sha256}",
        "data-core-metadata": f"sha256={file.metadata_sha256}",
        "data-dist-info-metadata": f"sha256={file.metadata_sha256}",
    }
    if file.requires_python is not None:
        attributes["data-requires-python"] = file.requires_python
    spelled = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {spelled}>{escape(file.file_name)}</a>"


def _pages(folder: str, title: str, links: Iterable[str], data: object) -> dict[str, bytes]:
    lines = "".join(f"    {link}<br>\n" for link in links)
    html = _PAGE.format(version=_API_VERSION, title=escape(title), links=lines)
    return {
        f"{folder}/{JSON}": f"{json.dumps(data, indent=1, sort_keys=True)}\n".encode(),
        f"{folder}/{HTML}": html.encode(),
    }
