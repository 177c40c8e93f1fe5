"""The interpreter in an archive: which members are unpacked, and what no member may be.

The rules are for archives that somebody signed, and strict all the same: regular files, folders and
symbolic links that stay inside, each with one name. What is not below the interpreter's root is
held to them too, and not unpacked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.host_rules.file_names import name_problem, spelling_key
from wheelferry_schemas.tar.tar_headers import BrokenTarError, TarEntry

MAX_MEMBERS = 200_000
MAX_TREE_SIZE = 8 * 2**30
BROKEN = (BrokenTarError, zlib.error)
"""What reading a broken archive raises, besides the zstd library's own error."""
_INTERPRETER = "bin/python3"
_RIGHTS = 0o777
_MAX_NAME = 1000
_MAX_LINKS = 40
"""As many links in a path as Linux follows."""
_END_OF_TIME = 2**33
"""In seconds since the epoch; ustar headers cannot state later times (eleven octal digits)."""
_SHOWN = 10
_RELEASE = re.compile(
    r"cpython-(?P<version>3\.\d+\.\d+)\+\d+-(?P<triple>[a-z0-9_]+-[a-z0-9_-]+?)"
    r"(?P<flavour>-(?:install_only|debug|pgo|lto|noopt|freethreaded|full)[a-z+_-]*)?"
    r"\.tar\.(?:gz|zst)"
)
"""How python-build-standalone names its archives."""


@dataclass(frozen=True, slots=True)
class PythonTree:
    """The entries of an archive that make up an interpreter, by path below its root."""

    members: dict[str, TarEntry]

    @property
    def size(self) -> int:
        """The size of all files in bytes."""
        return sum(entry.size for entry in self.members.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a file name of python-build-standalone says about an interpreter."""

    version: str
    triple: str
    free_threaded: bool


def read_release(file_name: str) -> Release | None:
    """Return what a file name says, None if it is not one of python-build-standalone."""
    match = _RELEASE.fullmatch(file_name)
    if match is None:
        return None
    flavour = match["flavour"] or ""
    return Release(
        version=match["version"], triple=match["triple"], free_threaded="freethreaded" in flavour
    )


def read_tree(entries: Iterable[TarEntry], *, folds_case: bool) -> PythonTree:
    """Return the interpreter among the entries of an archive; raises `MalformedError`.

    With `folds_case`, names that differ only in letter case are one file.
    """
    listed = []
    size = 0
    for entry in entries:
        listed.append(entry)
        size += entry.size
        # Checked before the next entry: finding that means reading all of this one.
        if len(listed) > MAX_MEMBERS:
            raise _malformed([f"it has more than {MAX_MEMBERS} members"])
        if size > MAX_TREE_SIZE:
            raise _malformed([f"it unpacks to more than {MAX_TREE_SIZE} bytes"])
    root = _root(listed)
    # What is outside the root is not unpacked here, but tar would unpack it.
    problems = [
        f"{entry.name!r} {why}"
        for entry in listed
        if entry.name or entry.kind != "folder"
        for why in _problems(entry, root if entry.name.startswith(root) else "")
    ]
    by_name = {entry.name: entry for entry in listed}
    problems += _problems_between(listed, by_name, folds_case=folds_case)
    if problems:
        raise _malformed(problems)
    below = (name for name in by_name if name.startswith(root) and len(name) > len(root))
    return PythonTree({name.removeprefix(root): by_name[name] for name in below})


def _root(entries: Sequence[TarEntry]) -> str:
    """Return the folder that contains `bin/python3`, the outermost if there are several."""
    roots = [
        entry.name.removesuffix(_INTERPRETER)
        for entry in entries
        if f"/{entry.name}".endswith(f"/{_INTERPRETER}") and entry.kind != "folder"
    ]
    if not roots:
        raise _malformed([f"it has no {_INTERPRETER}"])
    return min(roots, key=lambda root: (root.count("/"), root))


def _problems(entry: TarEntry, root: str) -> Iterator[str]:
    if problem := name_problem(entry.name):
        yield problem
    elif len(entry.name) > _MAX_NAME:
        yield f"is longer than {_MAX_NAME} characters"
    if entry.mode & ~_RIGHTS:
        yield "has mode bits beyond read, write and execute"
    if entry.time >= _END_OF_TIME:
        yield "has an invalid time"
    if entry.kind == "link" and not _stays_inside(entry.name.removeprefix(root), entry.target):
        yield f"links outside, or not directly: {entry.target!r}"


def _stays_inside(path: str, target: str) -> bool:
    """Return whether a link at `path` leads to something below the root.

    `..` after a name is refused: where that name is itself a link, it leads elsewhere.
    """
    parts = target.split("/")
    ups = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    rest = "/".join(parts[ups:])
    return (not rest or name_problem(rest) is None) and ups <= path.count("/")


def _problems_between(
    listed: Sequence[TarEntry], by_name: Mapping[str, TarEntry], *, folds_case: bool
) -> Iterator[str]:
    spelled: dict[str, str] = {}
    seen: set[str] = set()
    for entry in listed:
        name = entry.name
        if name in seen:
            yield f"{name!r} is there twice"
        seen.add(name)
        if len(name) > _MAX_NAME:
            continue
        parents = list(_parents(name))
        if any(parent in by_name and by_name[parent].kind != "folder" for parent in parents):
            yield f"{name!r} lies below something that is not a folder"
        for path in (name, *parents):
            other = spelled.setdefault(spelling_key(path, folds_case=folds_case), path)
            if other != path:
                yield f"{path!r} and {other!r} are one file on some file systems"
        if entry.kind == "link" and not _ends(name, by_name):
            yield f"{name!r} is a link that leads to itself"


def _parents(name: str) -> Iterator[str]:
    at = name.rfind("/")
    while at > 0:
        yield name[:at]
        at = name.rfind("/", 0, at)


def _ends(name: str, by_name: Mapping[str, TarEntry]) -> bool:
    """Return whether a link leads to a path, existing or not, rather than in a circle."""
    ahead, behind = name.split("/")[::-1], list[str]()
    links = 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            del behind[-1:]
            continue
        behind.append(part)
        entry = by_name.get("/".join(behind))
        if entry is not None and entry.kind == "link":
            links += 1
            if links > _MAX_LINKS:
                return False
            behind.pop()
            ahead += entry.target.split("/")[::-1]
    return True


def _malformed(problems: Sequence[str]) -> MalformedError:
    return MalformedError(
        "the Python archive cannot be used",
        details=list(problems[:_SHOWN]),
        hint="use one of python-build-standalone (install_only), or any relocatable tree with "
        f"{_INTERPRETER}",
    )
