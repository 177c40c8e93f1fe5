"""A good wheel, foo 1.0, and what it takes to make one thing in it wrong."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

import pytest

from support.making.wheels import TinyWheel, make_wheel, record_row, zip_bytes
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.errors import MalformedError

FILES = {"foo/__init__.py": b"", "foo/data.bin": bytes(range(256)) * 40}
WHEEL = make_wheel("foo", files=FILES, entry_points="[console_scripts]\nfoo = foo:main\n")
INFO = "foo-1.0.dist-info"


def open_wheel(wheel: TinyWheel) -> VerifiedWheel:
    return VerifiedWheel(io.BytesIO(wheel.data), wheel.file_name)


def read_wheel(wheel: TinyWheel) -> dict[str, bytes]:
    return {row[0]: stream.read() for row, stream, _ in open_wheel(wheel).get_contents()}


def refusal_of(wheel: TinyWheel) -> str:
    with pytest.raises(MalformedError) as caught:
        read_wheel(wheel)
    assert caught.value.message.startswith(wheel.file_name)
    return str(caught.value)


def with_files(files: Mapping[str, bytes]) -> TinyWheel:
    """Return a valid wheel of these files besides a module."""
    return make_wheel("foo", files={"foo.py": b"", **files})


def raw_wheel(data: bytes) -> TinyWheel:
    return TinyWheel(file_name=WHEEL.file_name, data=data)


def rezipped(change: Callable[[dict[str, bytes]], object]) -> TinyWheel:
    """Return the wheel with its files changed, RECORD as it was."""
    with zipfile.ZipFile(io.BytesIO(WHEEL.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    return raw_wheel(zip_bytes(files))


def with_record(text: str | bytes) -> TinyWheel:
    """Return the wheel with another RECORD."""
    data = text if isinstance(text, bytes) else text.encode()
    return rezipped(lambda files: files.update({f"{INFO}/RECORD": data}))


def record_rows() -> str:
    with zipfile.ZipFile(io.BytesIO(WHEEL.data)) as archive:
        return archive.read(f"{INFO}/RECORD").decode()


ROW = record_row("foo/data.bin", FILES["foo/data.bin"])
DIGEST = ROW.split(",")[1]
