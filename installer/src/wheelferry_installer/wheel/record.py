"""Reads and checks RECORD: the files of a wheel, each with its hash and size."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping

from installer.records import InvalidRecordEntry, parse_record_file

from wheelferry_schemas.errors import MalformedError

Row = tuple[str, str]
"""Hash and size as RECORD spells them; both may be empty."""
_STRONG = re.compile(
    r"sha256=[A-Za-z0-9_-]{43}|sha384=[A-Za-z0-9_-]{64}|sha512=[A-Za-z0-9_-]{86}", re.ASCII
)
_STRONG_HEX = re.compile(r"sha256=[0-9a-f]{64}|sha384=[0-9a-f]{96}|sha512=[0-9a-f]{128}", re.ASCII)


def spell(algorithm: str, digest: bytes) -> str:
    """Return a hash as RECORD writes it: its algorithm, and URL-safe base64 without padding."""
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def hash_of(data: bytes, like: str) -> str:
    """Return the hash of `data` with the algorithm of the hash `like`."""
    algorithm = like.partition("=")[0]
    return spell(algorithm, hashlib.new(algorithm, data).digest())


def is_strong(text: str) -> bool:
    """Return whether `text` is a hash of a collision-resistant algorithm."""
    return _STRONG.fullmatch(text) is not None


def parse_record(text: str, files: int) -> dict[str, Row]:
    """Read the rows by path; raises `MalformedError`.

    `files` is how many files there are: a RECORD of many more rows is refused before it is read.
    """
    if text.count("\n") > files + 1:
        raise MalformedError("RECORD has more rows than there are files")
    rows = list(_rows(text))
    record = {path: (_respelled(digest), size) for path, digest, size in rows}
    if len(record) != len(rows):
        raise MalformedError("RECORD lists a file twice")
    return record


def record_problems(
    record: Mapping[str, Row], sizes: Mapping[str, int], unhashed: Collection[str]
) -> list[str]:
    """Return where RECORD does not list exactly the files of the wheel, with strong hashes.

    `sizes` are those of the files. `unhashed` files, RECORD itself among them, need no row and no
    hash.
    """
    problems = [f"RECORD lists {name!r}, which is absent" for name in record.keys() - sizes]
    for name, size in sizes.items():
        digest, stated = record.get(name, (None, None))
        if digest is None:
            if name not in unhashed:
                problems.append(f"{name!r} is not in RECORD")
        elif (digest or name not in unhashed) and not is_strong(digest):
            problems.append(f"RECORD has no strong hash for {name!r}")
        elif stated and stated != str(size):
            problems.append(f"RECORD states another size for {name!r}")
    return sorted(problems)


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    try:
        yield from parse_record_file(io.StringIO(text, newline=""))
    except (InvalidRecordEntry, csv.Error) as error:
        raise MalformedError(f"RECORD cannot be read: {error}") from error


def _respelled(text: str) -> str:
    """Return a hash in base64; a few real wheels have it in hexadecimal."""
    if _STRONG_HEX.fullmatch(text):
        algorithm, _, digits = text.partition("=")
        return spell(algorithm, bytes.fromhex(digits))
    return text
