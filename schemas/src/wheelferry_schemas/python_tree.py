"""The interpreter in an archive: which of its members are unpacked, and what none of them may be.

The rules are for archives that somebody signed, and strict all the same: regular files, folders and
symbolic links that stay inside. What is not below the interpreter's root is left alone.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wheelferry_schemas.errors import MalformedError

MAX_MEMBERS = 200_000
MAX_TREE_SIZE = 8 * 2**30
BROKEN = (
    tarfile.TarError,
    ValueError,  # tarfile takes numbers of PAX headers as they come
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
)
"""What reading a broken archive raises, besides the error of the zstd library."""
_INTERPRETER = "bin/python3"
_SPECIAL_BITS = 0o7000
_MAX_NAME = 1000
_END_OF_TIME = 2**33
"""In seconds since the epoch; ustar headers can state no later times (eleven octal digits)."""
_SHOWN = 10
_RELEASE = re.compile(
    r"cpython-(?P<version>3\.\d+\.\d+)\+\d+-(?P<triple>[a-z0-9_]+-[a-z0-9_-]+?)"
    r"(?P<flavour>-(?:install_only|debug|pgo|lto|noopt|freethreaded|full)[a-z+_-]*)?"
    r"\.tar\.(?:gz|zst)"
)
"""What python-build-standalone calls its archives."""


@dataclass(frozen=True, slots=True)
class PythonTree:
    """The members of an archive that make up an interpreter, by their paths below its root."""

    members: dict[str, tarfile.TarInfo]

    @property
    def size(self) -> int:
        """How many bytes its files have."""
        return sum(info.size for info in self.members.values() if info.isreg())


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the file name of python-build-standalone says of an interpreter."""

    version: str
    triple: str
    free_threaded: bool


def read_release(file_name: str) -> Release | None:
    """Return what a file name says, None where it is not one of python-build-standalone."""
    match = _RELEASE.fullmatch(file_name)
    if match is None:
        return None
    flavour = match["flavour"] or ""
    return Release(
        version=match["version"], triple=match["triple"], free_threaded="freethreaded" in flavour
    )


def read_tree(infos: Iterable[tarfile.TarInfo]) -> PythonTree:
    """Return the interpreter among the members of an archive; raises `MalformedError`."""
    listed = []
    size = 0
    for info in infos:
        listed.append(info)
        size += info.size
        # Before the next is asked for: to find it, all of this one is read.
        if len(listed) > MAX_MEMBERS:
            raise _malformed([f"it has more than {MAX_MEMBERS} members"])
        if info.size < 0 or size > MAX_TREE_SIZE:
            raise _malformed([f"it unpacks to more than {MAX_TREE_SIZE} bytes"])
    root = _root(listed)
    members: dict[str, tarfile.TarInfo] = {}
    problems = []
    for info in listed:
        path = _below(info.name, root)
        if path is None:
            continue
        problems += [f"{info.name!r} {why}" for why in _problems(info, path)]
        if path in members:
            problems.append(f"{info.name!r} is there twice")
        members[path] = info
    tree = PythonTree(members)
    problems += _problems_between(members)
    if problems:
        raise _malformed(problems)
    return tree


def _root(infos: Sequence[tarfile.TarInfo]) -> str:
    """Return the folder that `bin/python3` is in, the outermost where there are several."""
    roots = [
        _plain(info.name).removesuffix(_INTERPRETER)
        for info in infos
        if f"/{_plain(info.name)}".endswith(f"/{_INTERPRETER}")
    ]
    if not roots:
        raise _malformed([f"it has no {_INTERPRETER}"])
    return min(roots, key=lambda root: (root.count("/"), root))


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _below(name: str, root: str) -> str | None:
    """Return the path of a member below the root, None where it is not below it."""
    plain = _plain(name)
    if not plain.startswith(root) or plain in (root, root.rstrip("/"), "."):
        return None
    return plain.removeprefix(root)


def _problems(info: tarfile.TarInfo, path: str) -> Iterator[str]:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or len(path) > _MAX_NAME:
        yield "is not a plain path"
    elif "\\" in path or "\0" in path or not _is_text(path):
        yield "has characters that paths here must not have"
    if info.mode & _SPECIAL_BITS:
        yield "would run as somebody else, or is sticky"
    # Of a number in a PAX header nothing is known but that Python can read it.
    if not 0 <= info.mtime < _END_OF_TIME:
        yield "has a time that is none"
    if info.issym():
        if not _stays_inside(path, info.linkname):
            yield f"links to outside, or in a roundabout way: {info.linkname!r}"
    elif not (info.isreg() or info.isdir()) or info.issparse():
        yield "is neither a file, nor a folder, nor a symbolic link"


def _stays_inside(path: str, target: str) -> bool:
    """Tell whether a link at `path` leads to something below the root.

    `..` after a name is refused: where that name is a link itself, it leads elsewhere than it reads.
    """
    parts = target.split("/")
    ups = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    plain = not {"", ".", ".."}.intersection(parts[ups:])
    return plain and ups <= path.count("/")


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _problems_between(members: dict[str, tarfile.TarInfo]) -> Iterator[str]:
    for path, info in members.items():
        parts = path.split("/")
        parents = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if len(path) <= _MAX_NAME and any(
            parent in members and not members[parent].isdir() for parent in parents
        ):
            yield f"{info.name!r} lies below something that is no folder"


def _malformed(problems: Sequence[str]) -> MalformedError:
    return MalformedError(
        "the Python archive cannot be used",
        details=list(problems[:_SHOWN]),
        hint="take one of python-build-standalone (install_only), or any relocatable tree with "
        f"{_INTERPRETER}",
    )
