"""Every parser of foreign bytes, as a function of bytes that may only refuse in our own words.

A target raises nothing but what it finds wrong with the parser. What was accepted has to hold what
the parser promises.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import tomli_w
import zstandard
from installer.utils import parse_entrypoints

from support.making.archives import NOW, join, join_plain, plain_frames
from support.making.bundles import make_manifest
from support.making.manifests import TARGETS as HOSTS
from vectors.good_bundle import wheels
from vectors.good_wheel import FILE_NAME, INFO, contents
from wheelferry_bundler.fetch.simple_pages import PageError, parse_page
from wheelferry_bundler.fetch.wheel_metadata import read_wheel_metadata
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.read.pyproject import Pyproject
from wheelferry_bundler.read.requirement_lines import read_lines
from wheelferry_bundler.read.uv_lock import read_uv_lock
from wheelferry_bundler.select.closure import parse_metadata
from wheelferry_installer.environment import tree_changes
from wheelferry_installer.install import carried_python
from wheelferry_installer.unpack import project_lock, relocated_lock
from wheelferry_installer.verify import signatures
from wheelferry_installer.verify.archive_reader import Archive, open_bundle
from wheelferry_installer.verify.policy import ACCEPT_UNSIGNED
from wheelferry_installer.verify.verification import (
    VerifiedBundle,
    verify,
    verify_contents,
)
from wheelferry_installer.wheel.entry_points import entry_point_problems, script_name_problem
from wheelferry_installer.wheel.record import hash_of, is_strong, parse_record, record_problems
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas import accepted, receipt, target
from wheelferry_schemas.bundle import head, layout, manifest, seek_table
from wheelferry_schemas.bundle.layout import Member
from wheelferry_schemas.bundle.manifest import PythonArchive
from wheelferry_schemas.bundle.self_contained import HEAD_SIZE, find_bundle
from wheelferry_schemas.errors import MalformedError, WheelferryError
from wheelferry_schemas.tar.tar_headers import BrokenTarError, read_entries
from wheelferry_schemas.trust import allowed_signers, sshsig

CUT = b"--cut--"
"""Between the frames in a seed for the head of an archive."""
MESSAGE = b"This is a test, this is only a test"
_FOLDER = tempfile.TemporaryDirectory(prefix="wheelferry-fuzz-")
_SCRATCH = Path(_FOLDER.name)


def archive(data: bytes) -> None:
    path = _SCRATCH / "bundle.tar.zst"
    path.write_bytes(data)
    try:
        opened = open_bundle(path)
    except WheelferryError:
        return
    try:
        bundle = verify(opened, ACCEPT_UNSIGNED, NOW)
        verify_contents(bundle, bundle.manifest.packages)
    except WheelferryError:
        return
    finally:
        opened.archive.close()
    span = find_bundle(data[:HEAD_SIZE])
    inside = data if span is None else data[span.offset : span.offset + span.size]
    with tarfile.open(fileobj=io.BytesIO(b"".join(plain_frames(inside)))) as plain:
        seen = [member.name for member in plain]
    heads = [layout.MANIFEST, *(member.name for member in bundle.signature_members)]
    assert seen == heads + [member.name for member in bundle.members]


def tar_stream(data: bytes) -> None:
    archive(join_plain(data.split(CUT)))


def frame(data: bytes) -> None:
    try:
        size = zstandard.get_frame_parameters(data).content_size
    except zstandard.ZstdError:
        size = len(data)
    if size > 2**32 - 1:
        return
    path = _SCRATCH / "frame"
    path.write_bytes(join([data], [size]))
    try:
        opened = Archive(path)
    except WheelferryError:
        return
    try:
        assert len(opened.frame(0, size)) == size
    except WheelferryError:
        return
    finally:
        opened.close()


def table(data: bytes) -> None:
    try:
        size = seek_table.size_from_footer(data[-seek_table.FOOTER_SIZE :])
        frames = seek_table.decode(data[-size:], len(data)) if size <= len(data) else ()
    except MalformedError:
        return
    assert sum(frame.compressed_size for frame in frames) <= len(data)


def tar_head(data: bytes) -> None:
    frames = data.split(CUT)
    try:
        read = head.read_head([len(frame) for frame in frames], frames.__getitem__)
    except MalformedError:
        return
    assert read.manifest.header + read.manifest.content in b"".join(frames)
    assert len(read.signatures) <= 16


def manifest_json(data: bytes) -> None:
    try:
        read = manifest.parse(data)
    except WheelferryError:
        return
    assert manifest.serialize(read) == data


def signature(data: bytes) -> None:
    try:
        read = sshsig.decode(data)
        assert sshsig.decode(sshsig.encode(read)) == read
        signatures.check(read, MESSAGE, "unittest")
    except MalformedError:
        return


def signers(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        read = allowed_signers.parse(text)
        assert allowed_signers.without(text, ()) == text
        left = allowed_signers.parse(allowed_signers.without(text, [one.key for one in read]))
    except MalformedError:
        return
    assert left == ()


def key_file(data: bytes) -> None:
    try:
        key, _ = allowed_signers.parse_key_file(data.decode("utf-8", "replace"))
    except MalformedError:
        return
    assert allowed_signers.parse_key_file(key.line())[0] == key


def wheel(data: bytes) -> None:
    try:
        read = VerifiedWheel(io.BytesIO(data), FILE_NAME)
        found = {}
        for (path, digest, _), stream, _ in read.get_contents():
            assert not path.startswith(("/", "\\"))
            assert ".." not in path.split("/")
            found[path] = stream.read()
            assert not digest or hash_of(found[path], digest) == digest
    except MalformedError:
        return
    # Whoever looks into the wheel with another tool sees the same.
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert {path: other.read(path) for path in other.namelist()} == found


def record(data: bytes) -> None:
    sizes = {"foo/__init__.py": 0, "foo/data.bin": 1024}
    try:
        rows = parse_record(data.decode("utf-8", "replace"), len(sizes))
    except MalformedError:
        return
    if not record_problems(rows, sizes, ()):
        assert rows.keys() == sizes.keys()
        assert all(is_strong(digest) for digest, _ in rows.values())


def entry_points(data: bytes) -> None:
    # As they are read: what is no UTF-8 was refused before.
    text = data.decode("utf-8", "replace")
    if not entry_point_problems(text):
        for name, module, attribute, _ in parse_entrypoints(text):
            assert script_name_problem(name) is None
            assert all(part.isidentifier() for part in f"{module}.{attribute}".split("."))


def metadata(data: bytes) -> None:
    """Read METADATA of a wheel that is good but for that, on both sides."""
    from support.making.wheels import record_row, zip_bytes

    files = contents()
    del files[f"{INFO}/RECORD"]
    files[f"{INFO}/METADATA"] = data
    rows = "".join(record_row(path, content) for path, content in files.items())
    files[f"{INFO}/RECORD"] = f"{rows}{INFO}/RECORD,,\n".encode()
    made = zip_bytes(files)
    path = _SCRATCH / FILE_NAME
    path.write_bytes(made)
    for read in (
        lambda: VerifiedWheel(io.BytesIO(made), FILE_NAME),
        lambda: read_wheel_metadata(path, FILE_NAME),
        lambda: parse_metadata(data),
    ):
        try:
            read()
        except MalformedError:
            continue


def uv_lock(data: bytes) -> None:
    try:
        read_uv_lock(data, Wanted(), Pyproject.read(_SCRATCH))
    except WheelferryError:
        return


def relocation(data: bytes) -> None:
    """Move the uv.lock of a project to the wheels of a bundle."""
    bundle = make_manifest(wheels(), [HOSTS[0]])
    try:
        lock = project_lock.read_uv_lock(data)
        moved = relocated_lock.relocate(lock, bundle, "wheels", editable={}, trusted=True)
    except WheelferryError:
        return
    again = project_lock.read_uv_lock(tomli_w.dumps(moved.lock).encode())
    mine = {f"sha256:{package.sha256}" for package in bundle.packages}
    for package in again.get("package", []):
        registry = package["source"].get("registry")
        if registry is None:
            assert project_lock.local_folder(package) is not None
        else:
            assert registry.replace("./", "") == "wheels"
            assert {wheel["hash"] for wheel in package.get("wheels", [])} <= mine


def pylock(data: bytes) -> None:
    try:
        read_pylock(data, _SCRATCH, Wanted(), name="demo")
    except WheelferryError:
        return


def requirements(data: bytes) -> None:
    path = _SCRATCH / "requirements.txt"
    path.write_bytes(data)
    try:
        read_lines(path)
    except WheelferryError:
        return


def index_page(data: bytes) -> None:
    for media_type in ("application/json", "text/html"):
        try:
            links = parse_page(
                data.decode("utf-8", "replace"), media_type, "https://index.example/"
            )
        except PageError:
            continue
        assert all(isinstance(link.file_name, str) for link in links)


@dataclass(frozen=True)
class _Content:
    """As much of a verified bundle as it takes to hold one member."""

    members: tuple[Member, ...]
    data: bytes

    def read(self, member: Member, write: Callable[[memoryview], object]) -> None:
        assert member in self.members
        write(memoryview(self.data))


def tar_headers(data: bytes) -> None:
    """Read a tar archive; who reads it with tarfile gets the same."""
    try:
        found = [
            (entry, b"".join(content)) for entry, content in read_entries(io.BytesIO(data).read)
        ]
    except BrokenTarError:
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as other:
        for (entry, content), info in zip(found, other, strict=True):
            assert info.name.removeprefix("./").rstrip("/") in (entry.name, entry.name or ".")
            assert (entry.size, entry.target) == (info.size, info.linkname)
            stream = other.extractfile(info) if info.isreg() else None
            assert content == (stream.read() if stream else b"")


def python_tree(data: bytes) -> None:
    """Unpack an interpreter; seeds are not compressed."""
    packed = gzip.compress(data, 1)
    digest = hashlib.sha256(packed).hexdigest()
    archive = PythonArchive(
        name="python.tar.gz", sha256=digest, size=len(packed), targets=(HOSTS[0].id,)
    )
    member = Member(name=layout.python_name(archive.name), size=len(packed), sha256=digest)
    bundle = cast("VerifiedBundle", _Content((member,), packed))
    environment = _SCRATCH / "environment"
    shutil.rmtree(environment, ignore_errors=True)
    environment.mkdir()
    try:
        files = carried_python.unpack(bundle, archive, environment / "python", environment)
    except WheelferryError:
        return
    assert [path.name for path in environment.iterdir()] == ["python"]
    assert {file.path for file in files} <= {
        path.relative_to(environment).as_posix() for path in environment.rglob("*")
    }
    for path in environment.rglob("*"):
        assert environment in path.resolve().parents


def target_json(data: bytes) -> None:
    try:
        target.parse_target(data)
    except MalformedError:
        return


def accepted_json(data: bytes) -> None:
    try:
        accepted.parse(data)
    except MalformedError:
        return


def journal_json(data: bytes) -> None:
    """Read what a journal says is to be done; every path stays below a root."""
    try:
        planned = tree_changes.parse(data)
    except MalformedError:
        return
    paths = [file.path for file in (*planned.taken, *planned.put)]
    for path in (*paths, *planned.made, *(folder for folder, _ in planned.removed)):
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))


def receipt_json(data: bytes) -> None:
    try:
        receipt.parse(data)
    except MalformedError:
        return


TARGETS: dict[str, Callable[[bytes], None]] = {
    "archive": archive,
    "frame": frame,
    "seek-table": table,
    "tar-stream": tar_stream,
    "tar-head": tar_head,
    "manifest": manifest_json,
    "signature": signature,
    "allowed-signers": signers,
    "key-file": key_file,
    "wheel": wheel,
    "record": record,
    "entry-points": entry_points,
    "metadata": metadata,
    "uv-lock": uv_lock,
    "relocation": relocation,
    "pylock": pylock,
    "requirements": requirements,
    "index-page": index_page,
    "tar-headers": tar_headers,
    "python-tree": python_tree,
    "target": target_json,
    "receipt": receipt_json,
    "journal": journal_json,
    "accepted": accepted_json,
}
