"""A good wheel, file by file and entry by entry, for vectors to change one thing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from support.making.wheels import TinyWheel, record_row
from vectors.raw_zip import Ending, RawEntry, build

FILE_NAME = "foo-1.0-py3-none-any.whl"
INFO = "foo-1.0.dist-info"
MODULE = b"import os\nopen(os.environ['WHEELFERRY_CANARY'], 'w').close()\n"
"""What a hostile wheel runs where it can: it leaves a trace."""
BIN = "foo/data.bin"
DATA = bytes(range(256)) * 4


def contents(extra: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the files of a good wheel with RECORD as the last one."""
    files = {"foo/__init__.py": MODULE, "foo/data.bin": DATA, **(extra or {})}
    files[f"{INFO}/METADATA"] = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n"
    files[f"{INFO}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = "".join(record_row(path, data) for path, data in files.items())
    files[f"{INFO}/RECORD"] = f"{rows}{INFO}/RECORD,,\n".encode()
    return files


def entries(extra: Mapping[str, bytes] | None = None) -> list[RawEntry]:
    """Return the entries of a good wheel."""
    return [RawEntry(name=n.encode(), content=data) for n, data in contents(extra).items()]


def wheel(data: bytes) -> TinyWheel:
    return TinyWheel(file_name=FILE_NAME, data=data)


def changed(change: Callable[[RawEntry], RawEntry], name: str = BIN) -> TinyWheel:
    """Return a good wheel with one of its entries changed."""
    return wheel(build([change(e) if e.name == name.encode() else e for e in entries()]))


def with_changes(**changes: object) -> Callable[[], TinyWheel]:
    return lambda: changed(lambda entry: entry.changed(**changes))


def ended(ending: Ending) -> Callable[[], TinyWheel]:
    return lambda: wheel(build(entries(), ending))


def with_more(*more: RawEntry) -> Callable[[], TinyWheel]:
    return lambda: wheel(build([*entries(), *more]))
