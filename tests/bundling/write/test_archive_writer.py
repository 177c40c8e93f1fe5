from __future__ import annotations

import errno
import os
import resource
import subprocess
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.making.archives import examine, policy_of
from support.making.bundles import CREATED, make_key, make_manifest
from support.making.wheels import TinyWheel, make_wheel
from wheelferry_bundler.fetch.hashing import hash_file
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_bundler.write import archive_writer
from wheelferry_bundler.write.archive_writer import ChangedFileError, write_archive
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import Manifest, serialize
from wheelferry_schemas.errors import TransferError

MIB = 2**20
DOCUMENTS = {"requirements.txt": b"# pins\n", "sbom.cdx.json": b"{}\n"}
WHEELS = (
    make_wheel("small"),
    make_wheel("large", files={"large.bin": os.urandom(layout.FRAME_SIZE + 1000)}),
    make_wheel("long-name", files={}, tag=".".join(f"cp3{n}" for n in range(7, 30)) + "-none-any"),
)


def contents_of(wheels: Sequence[TinyWheel], folder: Path) -> dict[str, bytes | Path]:
    files = {layout.wheel_name(wheel.file_name): wheel.write(folder) for wheel in wheels}
    return {**DOCUMENTS, **files}


def write(
    path: Path,
    manifest: Manifest,
    contents: Mapping[str, bytes | Path],
    keys: Sequence[SigningKey] = (),
) -> int:
    data = serialize(manifest)
    signatures = [key.sign(data) for key in keys]
    return write_archive(path, manifest, data, signatures, contents, lambda _size: None)


@pytest.fixture
def manifest() -> Manifest:
    return make_manifest(WHEELS, documents=DOCUMENTS)


@pytest.fixture
def contents(tmp_path: Path) -> dict[str, bytes | Path]:
    return contents_of(WHEELS, tmp_path / "wheels")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where an archive is to be written: the only thing in its folder."""
    (tmp_path / "output").mkdir()
    return tmp_path / "output" / "bundle.tar.zst"


def test_returns_size_of_what_it_wrote(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    assert write(output, manifest, contents) == output.stat().st_size


def test_installer_finds_nothing_wrong_with_it(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    keys = [make_key("alice"), make_key("bob")]
    write(output, manifest, contents, keys)
    assert [signer.name for signer in examine(output, policy_of(*keys))] == ["alice", "bob"]


def test_tar_unpacks_it(
    output: Path, tmp_path: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    write(output, manifest, contents, [make_key()])
    folder = tmp_path / "unpacked"
    folder.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", str(output)], cwd=folder, check=True)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "manifest.json",
        "signatures/1.sig",
        *DOCUMENTS,
        *(f"wheels/{wheel.file_name}" for wheel in WHEELS),
    }
    assert (folder / "manifest.json").read_bytes() == serialize(manifest)
    for wheel in WHEELS:
        assert (folder / "wheels" / wheel.file_name).read_bytes() == wheel.data


def test_members_bear_the_time_of_the_manifest_and_no_owner(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    write(output, manifest, contents)
    listing = subprocess.run(
        ["tar", "--zstd", "--full-time", "--utc", "-tvf", str(output)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(listing) == 1 + len(DOCUMENTS) + len(WHEELS)
    assert {line.split()[0] for line in listing} == {"-rw-r--r--"}
    assert {line.split()[1] for line in listing} == {"0/0"}
    assert {" ".join(line.split()[3:5]) for line in listing} == {"2023-11-14 22:13:20"}
    assert CREATED == 1_700_000_000


def test_two_writes_give_the_same_bytes(
    output: Path, tmp_path: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    write(output, manifest, contents)
    write(tmp_path / "again.tar.zst", manifest, contents)
    assert output.read_bytes() == (tmp_path / "again.tar.zst").read_bytes()


def test_bytes_do_not_depend_on_the_number_of_threads(
    output: Path,
    tmp_path: Path,
    manifest: Manifest,
    contents: Mapping[str, bytes | Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(output, manifest, contents)
    monkeypatch.setattr(archive_writer, "_THREADS", 7)
    monkeypatch.setattr(archive_writer, "_AHEAD", 0)
    write(tmp_path / "again.tar.zst", manifest, contents)
    assert output.read_bytes() == (tmp_path / "again.tar.zst").read_bytes()


def test_tells_all_bytes_of_the_stream_as_they_are_written(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    told: list[int] = []
    write_archive(output, manifest, serialize(manifest), [], contents, told.append)
    members = [
        ("manifest.json", len(serialize(manifest))),
        *((member.name, member.size) for member in layout.members(manifest)),
    ]
    sizes = [layout.stream_size(name, size, CREATED) for name, size in members]
    assert sum(told) == sum(sizes) + len(layout.END_OF_ARCHIVE)


def test_replaces_what_is_there(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    output.write_bytes(b"older")
    assert write(output, manifest, contents) == output.stat().st_size


def test_lets_others_read_it_as_the_umask_says(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    before = os.umask(0o027)
    try:
        write(output, manifest, contents)
    finally:
        os.umask(before)
    assert output.stat().st_mode & 0o777 == 0o640


def test_leaves_nothing_behind_where_the_folder_takes_no_files(
    tmp_path: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransferError, match="could not be written: Not a directory"):
        write(tmp_path / "file" / "bundle.tar.zst", manifest, contents)


def test_leaves_nothing_behind_where_the_file_grows_too_large(
    output: Path, manifest: Manifest, contents: Mapping[str, bytes | Path]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
    try:
        with pytest.raises(TransferError, match="could not be written: File too large"):
            write(output, manifest, contents)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(output.parent.iterdir()) == []


def test_keeps_the_older_bundle_where_the_disk_is_full(
    output: Path,
    manifest: Manifest,
    contents: Mapping[str, bytes | Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fill_the_disk(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    output.write_bytes(b"older")
    monkeypatch.setattr(os, "fsync", fill_the_disk)
    with pytest.raises(TransferError, match="No space left on device") as caught:
        write(output, manifest, contents)
    assert "--output" in str(caught.value.hint)
    assert [path.read_bytes() for path in output.parent.iterdir()] == [b"older"]


def test_tells_of_a_disk_that_fails_before_the_last_flush(
    output: Path,
    manifest: Manifest,
    contents: Mapping[str, bytes | Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors = [errno.EIO]

    def fail_once(_descriptor: int) -> None:
        if errors:
            raise OSError(errors.pop(), os.strerror(errno.EIO))

    monkeypatch.setattr(archive_writer, "_FLUSHED_AT_ONCE", layout.FRAME_SIZE)
    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(TransferError, match="Input/output error"):
        write(output, manifest, contents)
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:100] + b"x" + data[101:],
    ],
    ids=["shorter", "longer", "other"],
)
def test_stops_at_a_file_that_has_changed(
    output: Path, tmp_path: Path, manifest: Manifest, change: object
) -> None:
    assert callable(change)
    contents = contents_of(WHEELS, tmp_path / "wheels")
    path = contents[layout.wheel_name(WHEELS[0].file_name)]
    assert isinstance(path, Path)
    path.write_bytes(change(WHEELS[0].data))
    with pytest.raises(ChangedFileError, match=WHEELS[0].file_name) as caught:
        write(output, manifest, contents)
    assert caught.value.sha256 == WHEELS[0].sha256
    assert list(output.parent.iterdir()) == []


def test_names_the_file_that_is_gone(output: Path, tmp_path: Path, manifest: Manifest) -> None:
    contents = contents_of(WHEELS, tmp_path / "wheels")
    (tmp_path / "wheels" / WHEELS[1].file_name).unlink()
    with pytest.raises(TransferError, match=f"wheels/{WHEELS[1].file_name} can no longer be read"):
        write(output, manifest, contents)
    assert list(output.parent.iterdir()) == []


def test_holds_a_few_frames_in_memory_whatever_the_size(output: Path, tmp_path: Path) -> None:
    frames = 40
    path = tmp_path / WHEELS[0].file_name
    with path.open("wb") as file:
        file.truncate(frames * layout.FRAME_SIZE)
    sha256, _ = hash_file(path)
    small = make_manifest(WHEELS[:1])
    package = small.packages[0].replaced(size=frames * layout.FRAME_SIZE, sha256=sha256)
    large = small.replaced(packages=(package,))
    tracemalloc.start()
    try:
        write(output, large, {layout.wheel_name(path.name): path})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < frames / 4 * layout.FRAME_SIZE
