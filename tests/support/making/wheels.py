"""Tiny wheels, made in memory."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyWheel:
    """A wheel's file name and bytes."""

    file_name: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        path.write_bytes(self.data)
        return path


def make_wheel(
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    build: str = "",
    files: Mapping[str, bytes] | None = None,
    entry_points: str = "",
    requires: tuple[str, ...] = (),
    metadata: str = "",
    record: str | None = None,
    pure: bool = True,
) -> TinyWheel:
    """Make a valid wheel; `files` replaces the one module that it has, `record` its RECORD."""
    module = name.replace("-", "_")
    dist_info = f"{module}-{version}.dist-info"
    contents = dict(files if files is not None else {f"{module}.py": f"NAME = {name!r}\n".encode()})
    requirements = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    contents[f"{dist_info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}{metadata}"
    ).encode()
    tags = "".join(
        f"Tag: {python}-{abi}-{platform}\n"
        for python in tag.split("-", maxsplit=1)[0].split(".")
        for abi in tag.split("-")[1].split(".")
        for platform in tag.split("-")[2].split(".")
    )
    contents[f"{dist_info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {str(pure).lower()}\n{tags}"
    ).encode()
    if entry_points:
        contents[f"{dist_info}/entry_points.txt"] = entry_points.encode()
    if record is None:
        record = "".join(record_row(path, data) for path, data in contents.items())
        record += f"{dist_info}/RECORD,,\n"
    contents[f"{dist_info}/RECORD"] = record.encode()
    middle = f"-{build}" if build else ""
    return TinyWheel(file_name=f"{module}-{version}{middle}-{tag}.whl", data=zip_bytes(contents))


def record_row(path: str, data: bytes) -> str:
    """Return the row of RECORD for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def zip_bytes(contents: Mapping[str, bytes]) -> bytes:
    """Return a ZIP archive with these files, the same bytes for the same contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents.items():
            info = zipfile.ZipInfo(path, date_time=(2020, 2, 2, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()
