"""Which file names are valid on every file system, and which two are one file on some."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_MAX_PART = 255
_PLAIN = re.compile(r"(?!\.\.?(/|$))[\w.+\-~@=]+(/(?!\.\.?(/|$))[\w.+\-~@=]+)*", re.ASCII)
"""Nearly all real names: one match is enough."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\:]")


def name_problem(name: str) -> str | None:
    """Return why a relative path is not valid for a file, None if it is."""
    if len(name) <= _MAX_PART and _PLAIN.fullmatch(name):
        return None
    if _UNSAFE.search(name):
        return "has a character that file names must not have"
    if name.startswith("/"):
        return "is an absolute path"
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "is not a plain relative path"
    if any(len(part.encode()) > _MAX_PART for part in parts):
        return f"has a part that is longer than {_MAX_PART} bytes"
    return None


def colliding(paths: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return the pairs of paths that cannot both be files on every file system, and why.

    Names that differ only in case or Unicode normalization are one file on some file systems; no
    file is also a folder.
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    pairs = []
    for path in paths:
        key = spelling_key(path)
        other = seen.setdefault(key, path)
        if other != path:
            pairs.append((path, other, "are one file on some file systems"))
        folder = key.rpartition("/")[0]
        while folder and folder not in folders:
            folders[folder] = path
            folder = folder.rpartition("/")[0]
    pairs += [
        (seen[key], folders[key], "cannot both be there: one is a folder to the other")
        for key in sorted(seen.keys() & folders.keys())
    ]
    return pairs


def spelling_key(path: str, *, folds_case: bool = True) -> str:
    """Return a key that is equal for paths that some file systems take for one.

    All of them that compare Unicode do not tell composed from decomposed characters; not all fold
    case.
    """
    if path.isascii():
        return path.lower() if folds_case else path
    decomposed = unicodedata.normalize("NFD", path)
    # Unicode, section 3.13, D145: canonical caseless matching.
    return unicodedata.normalize("NFD", decomposed.casefold()) if folds_case else decomposed
