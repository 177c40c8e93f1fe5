"""Reads the Python archives of a bundle by the rules of `python_tree`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from wheelferry_schemas.bundle import layout
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.python_tree import BROKEN, PythonTree, read_tree
from wheelferry_schemas.tar.tar_headers import TarEntry, read_entries
from wheelferry_schemas.tar.unfolding import Unfolder, unfolded


def read_entries_of(file: BinaryIO, name: str) -> Iterator[tuple[TarEntry, Iterator[bytes]]]:
    """Yield the entries of the archive called `name`, each with its content."""
    file.seek(0)
    unfolder: Unfolder
    if name.endswith(".zst"):
        unfolder = zstandard.ZstdDecompressor().decompressobj()
    else:
        unfolder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    return read_entries(unfolded(file.read, unfolder))


def read_python(file: BinaryIO, name: str, *, folds_case: bool) -> PythonTree:
    """Return the interpreter in the archive called `name`; raises `MalformedError`."""
    try:
        entries = read_entries_of(file, name)
        return read_tree((entry for entry, _ in entries), folds_case=folds_case)
    except (*BROKEN, zstandard.ZstdError) as error:
        raise MalformedError(
            f"{layout.python_name(name)} is not a readable archive: {error}",
            hint="ask whoever made the bundle for another",
        ) from error
