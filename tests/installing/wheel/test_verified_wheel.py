import io
import stat
import weakref
import zipfile

import pytest

from support.making import zips
from support.making.foo_wheel import (
    FILES,
    INFO,
    WHEEL,
    open_wheel,
    raw_wheel,
    read_wheel,
    refusal_of,
    rezipped,
    with_files,
)
from support.making.wheels import TinyWheel, make_wheel, record_row, zip_bytes
from wheelferry_installer.wheel import verified_wheel

# What a good wheel gives.


def test_reads_every_file_with_its_row_of_record() -> None:
    contents = read_wheel(WHEEL)
    assert {path: contents[path] for path in FILES} == FILES
    assert set(contents) == {
        *FILES,
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
        f"{INFO}/entry_points.txt",
        f"{INFO}/RECORD",
    }
    rows = {row[0]: row for row, _, _ in open_wheel(WHEEL).get_contents()}
    assert ",".join(rows["foo/data.bin"]) + "\n" == record_row(
        "foo/data.bin", FILES["foo/data.bin"]
    )


def test_reads_large_files_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_wheel, "STREAMED_FROM", 1000)
    streams = {row[0]: stream for row, stream, _ in open_wheel(WHEEL).get_contents()}
    assert isinstance(streams["foo/__init__.py"], io.BytesIO)
    assert not isinstance(streams["foo/data.bin"], io.BytesIO)
    assert read_wheel(WHEEL)["foo/data.bin"] == FILES["foo/data.bin"]


def test_streams_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_wheel, "STREAMED_FROM", 1000)
    for row, stream, _ in open_wheel(WHEEL).get_contents():
        if row[0] == "foo/data.bin":
            assert [stream.read(100), stream.read()] == [
                FILES["foo/data.bin"][:100],
                FILES["foo/data.bin"][100:],
            ]
            stream.seek(0)
            assert stream.read() == FILES["foo/data.bin"]


@pytest.mark.parametrize(
    ("mode", "executable"),
    [(0o100755, True), (0o100644, False), (0o100100, True), (0o755, False), (0, False)],
)
def test_tells_what_is_executable(mode: int, executable: bool) -> None:
    wheel = raw_wheel(zips.with_mode(WHEEL.data, {"foo/data.bin": mode}))
    modes = {row[0]: is_executable for row, _, is_executable in open_wheel(wheel).get_contents()}
    assert modes["foo/data.bin"] is executable


@pytest.mark.parametrize(
    "name", ["INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"]
)
def test_leaves_out_what_installers_write_themselves(name: str) -> None:
    assert f"{INFO}/{name}" not in read_wheel(with_files({f"{INFO}/{name}": b"forged"}))


def test_keeps_files_of_such_names_elsewhere() -> None:
    assert "foo/INSTALLER" in read_wheel(with_files({"foo/INSTALLER": b"mine"}))


def test_passes_over_folders() -> None:
    wheel = rezipped(lambda files: files.update({"foo/": b""}))
    data = zips.with_mode(wheel.data, {"foo/": stat.S_IFDIR | 0o755})
    assert "foo/" not in read_wheel(raw_wheel(data))


@pytest.mark.parametrize(
    ("file_name", "info"),
    [
        ("Foo.Bar-1.0-py3-none-any.whl", "foo_bar-1.0"),
        ("foo_bar-1.0-py3-none-any.whl", "Foo.Bar-1.0"),
        ("foo_bar-1.0-py3-none-any.whl", "foo-bar-1.0.0"),
        ("foo_bar-1.0.0-7-py3-none-any.whl", "foo_bar-1.0"),
    ],
)
def test_takes_other_spellings_of_name_and_version(file_name: str, info: str) -> None:
    files = {
        f"{info}.dist-info/METADATA": b"Name: foo.bar\nVersion: 1.0\n",
        f"{info}.dist-info/WHEEL": b"Wheel-Version: 1.0\n",
    }
    record = "".join(record_row(path, data) for path, data in files.items())
    files[f"{info}.dist-info/RECORD"] = f"{record}{info}.dist-info/RECORD,,\n".encode()
    wheel = open_wheel(TinyWheel(file_name=file_name, data=zip_bytes(files)))
    assert wheel.dist_info_dir == f"{info}.dist-info"
    assert wheel.data_dir == f"{info}.data"


def test_counts_what_it_unpacks_to() -> None:
    with zipfile.ZipFile(io.BytesIO(WHEEL.data)) as archive:
        assert open_wheel(WHEEL).unpacked_size == sum(i.file_size for i in archive.infolist())


# The archive.


@pytest.mark.parametrize(
    "data", [b"", b"hello", WHEEL.data[:-10], WHEEL.data[: len(WHEEL.data) // 2]]
)
def test_refuses_what_is_not_a_zip(data: bytes) -> None:
    assert "is not a wheel" in refusal_of(raw_wheel(data))


def test_refuses_encrypted_file() -> None:
    said = refusal_of(raw_wheel(zips.patch(WHEEL.data, "foo/data.bin", flags=1)))
    assert "'foo/data.bin' is encrypted" in said


@pytest.mark.parametrize("method", [1, 9, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93, 99])
def test_refuses_other_methods_than_stored_and_deflated(method: int) -> None:
    said = refusal_of(raw_wheel(zips.patch(WHEEL.data, "foo/data.bin", method=method)))
    assert "'foo/data.bin' is compressed by an unknown method" in said


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_refuses_links_and_devices(kind: int) -> None:
    said = refusal_of(raw_wheel(zips.with_mode(WHEEL.data, {"foo/data.bin": kind | 0o777})))
    assert "'foo/data.bin' is not a regular file" in said


@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID, stat.S_ISUID | stat.S_ISGID])
def test_refuses_setuid_and_setgid(bit: int) -> None:
    said = refusal_of(raw_wheel(zips.with_mode(WHEEL.data, {"foo/data.bin": 0o100755 | bit})))
    assert "'foo/data.bin' is setuid or setgid" in said


def test_refuses_name_twice() -> None:
    data = WHEEL.data.replace(b"foo/data.bin", b"foo/twin.bin")
    two = with_files({"foo/data.bin": b"one", "foo/twin.bin": b"two"}).data
    twice = two.replace(b"foo/twin.bin", b"foo/data.bin")
    assert data != WHEEL.data
    assert "'foo/data.bin' is there twice" in refusal_of(raw_wheel(twice))


def test_refuses_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_wheel, "MAX_FILES", 5)
    assert "it holds more than 5 files" in refusal_of(WHEEL)


def test_refuses_to_unpack_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_wheel, "MAX_UNPACKED", 1000)
    assert "it unpacks to more than 1000 bytes" in refusal_of(WHEEL)


def test_refuses_to_unpack_to_many_times_the_wheels_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_wheel, "UNSUSPICIOUS", 100)
    monkeypatch.setattr(verified_wheel, "MAX_RATIO", 2)
    assert "more than 2 times its size" in refusal_of(WHEEL)


# Names.


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("/etc/passwd", "is an absolute path"),
        ("//host/share", "is an absolute path"),
        ("../out", "is not a plain relative path"),
        ("foo/../../out", "is not a plain relative path"),
        ("foo/..", "is not a plain relative path"),
        ("..", "is not a plain relative path"),
        ("./foo.txt", "is not a plain relative path"),
        ("foo/./x", "is not a plain relative path"),
        ("foo//x", "is not a plain relative path"),
        ("foo\\x", "has a character that file names must not have"),
        ("..\\out", "has a character that file names must not have"),
        ("C:out", "has a character that file names must not have"),
        ("c:/out", "has a character that file names must not have"),
        ("foo\nx", "has a character that file names must not have"),
        ("foo\x1b[31m", "has a character that file names must not have"),
        ("foo\x7f", "has a character that file names must not have"),
    ],
)
def test_refuses_unsafe_name(name: str, problem: str) -> None:
    said = refusal_of(with_files({name: b"x"}))
    assert f"{name!r} {problem}" in said


def test_refuses_name_that_is_cut_at_nul() -> None:
    data = with_files({"foo.txt_.exe": b"x"}).data.replace(b"foo.txt_", b"foo.txt\0")
    assert "has a character that file names must not have" in refusal_of(raw_wheel(data))


def test_refuses_name_that_is_empty_before_nul() -> None:
    data = with_files({"_foo.txt": b"x"}).data.replace(b"_foo.txt", b"\0foo.txt")
    assert "has a character that file names must not have" in refusal_of(raw_wheel(data))


def test_takes_names_in_other_scripts() -> None:
    assert read_wheel(with_files({"foo/žluťoučký 馬.txt": b"x"}))["foo/žluťoučký 馬.txt"] == b"x"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Foo.py", "foo.py"), ("\u00e9.py", "e\u0301.py"), ("x", "x/y.py")],
    ids=["case", "normalization", "file and folder"],
)
def test_refuses_names_that_are_one_file_on_some_file_systems(one: str, other: str) -> None:
    wheel = make_wheel("foo", files={one: b"", other: b""})
    assert repr(one) in refusal_of(wheel)


def test_refuses_part_of_a_name_that_no_file_system_takes() -> None:
    assert "has a part that is longer than 255 bytes" in refusal_of(with_files({"é" * 128: b""}))


# The one .dist-info.


def test_refuses_wheel_without_dist_info() -> None:
    said = refusal_of(raw_wheel(zip_bytes({"foo.py": b""})))
    assert "it has 0 .dist-info folders instead of one" in said


def test_refuses_wheel_with_two_dist_infos() -> None:
    said = refusal_of(with_files({"bar-1.0.dist-info/METADATA": b""}))
    assert "it has 2 .dist-info folders instead of one" in said


@pytest.mark.parametrize(
    "info", ["bar-1.0", "foo-1.1", "foo", "foo-1.0-1", "foo-", "-1.0", "foo -1.0", "fôo-1.0"]
)
def test_refuses_dist_info_of_another_wheel(info: str) -> None:
    data = zip_bytes({f"{info}.dist-info/RECORD": b""})
    assert f"{info}.dist-info is not that of this wheel" in refusal_of(raw_wheel(data))


def test_refuses_file_in_the_place_of_dist_info() -> None:
    assert "RECORD is missing" in refusal_of(raw_wheel(zip_bytes({INFO: b""})))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "WHEEL is missing"),
        (b"\xff", "WHEEL is not UTF-8"),
        (b"", "WHEEL states no version that is known: None"),
        (b"Wheel-Version: 2.0\n", "WHEEL states no version that is known: '2.0'"),
        (b"Wheel-Version: 10.0\n", "WHEEL states no version that is known: '10.0'"),
        (b"Generator: x\n\nWheel-Version: 1.0\n", "WHEEL states no version that is known: None"),
    ],
)
def test_refuses_wheel_file_of_unknown_version(text: bytes | None, problem: str) -> None:
    files = {} if text is None else {f"{INFO}/WHEEL": text}
    record = "".join(record_row(path, data) for path, data in files.items())
    files[f"{INFO}/RECORD"] = f"{record}{INFO}/RECORD,,\n".encode()
    assert problem in refusal_of(raw_wheel(zip_bytes(files)))


def test_takes_newer_minor_versions_of_the_wheel_format() -> None:
    files = {
        f"{INFO}/METADATA": b"Name: foo\nVersion: 1.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.9\n",
    }
    record = "".join(record_row(path, data) for path, data in files.items())
    files[f"{INFO}/RECORD"] = f"{record}{INFO}/RECORD,,\n".encode()
    assert open_wheel(raw_wheel(zip_bytes(files))).version == "1.0"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Name: bar\nVersion: 1.0\n",
        b"Name: foo\nVersion: 2.0\n",
        b"Name: foo\n\nVersion: 1.0\n",
        b"Name: foo\nName: bar\nVersion: 1.0\n",
    ],
)
def test_refuses_metadata_of_another_wheel(text: bytes) -> None:
    wheel = rezipped(lambda files: files.update({f"{INFO}/METADATA": text}))
    assert "METADATA does not state the name and the version of this wheel" in refusal_of(wheel)


def test_refuses_wheel_without_metadata() -> None:
    wheel = rezipped(lambda files: files.pop(f"{INFO}/METADATA"))
    assert "METADATA is missing" in refusal_of(wheel)


def test_memory_of_a_wheel_is_free_when_nobody_uses_it_any_more() -> None:
    wheel = open_wheel(WHEEL)
    list(wheel.get_contents())
    gone = weakref.ref(wheel)
    del wheel
    assert gone() is None
