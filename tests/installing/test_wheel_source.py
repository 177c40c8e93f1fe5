import contextlib
import io
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import zips
from support.wheels import TinyWheel, make_wheel, record_row, zip_bytes
from wheelferry_installer import wheel_source
from wheelferry_installer.wheel_source import VerifiedWheel
from wheelferry_schemas.errors import MalformedError

FILES = {"foo/__init__.py": b"", "foo/data.bin": bytes(range(256)) * 40}
WHEEL = make_wheel("foo", files=FILES, entry_points="[console_scripts]\nfoo = foo:main\n")
INFO = "foo-1.0.dist-info"
HINT = "the wheel was made wrong or with bad intent: ask whoever made the bundle"


def _open(wheel: TinyWheel) -> VerifiedWheel:
    return VerifiedWheel(io.BytesIO(wheel.data), wheel.file_name)


def _read(wheel: TinyWheel) -> dict[str, bytes]:
    return {row[0]: stream.read() for row, stream, _ in _open(wheel).get_contents()}


def _refusal(wheel: TinyWheel) -> str:
    with pytest.raises(MalformedError) as caught:
        _read(wheel)
    assert caught.value.message.startswith(wheel.file_name)
    return str(caught.value)


def _with(files: Mapping[str, bytes]) -> TinyWheel:
    """Return a valid wheel of these files besides a module."""
    return make_wheel("foo", files={"foo.py": b"", **files})


def _raw(data: bytes) -> TinyWheel:
    return TinyWheel(file_name=WHEEL.file_name, data=data)


def _rezipped(change: Callable[[dict[str, bytes]], object]) -> TinyWheel:
    """Return the wheel with its files changed, RECORD as it was."""
    with zipfile.ZipFile(io.BytesIO(WHEEL.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    return _raw(zip_bytes(files))


# What a good wheel gives.


def test_reads_every_file_with_its_row_of_record() -> None:
    contents = _read(WHEEL)
    assert {path: contents[path] for path in FILES} == FILES
    assert set(contents) == {
        *FILES,
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
        f"{INFO}/entry_points.txt",
        f"{INFO}/RECORD",
    }
    rows = {row[0]: row for row, _, _ in _open(WHEEL).get_contents()}
    assert ",".join(rows["foo/data.bin"]) + "\n" == record_row(
        "foo/data.bin", FILES["foo/data.bin"]
    )


def test_reads_large_files_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_source, "STREAMED_FROM", 1000)
    streams = {row[0]: stream for row, stream, _ in _open(WHEEL).get_contents()}
    assert isinstance(streams["foo/__init__.py"], io.BytesIO)
    assert not isinstance(streams["foo/data.bin"], io.BytesIO)
    assert _read(WHEEL)["foo/data.bin"] == FILES["foo/data.bin"]


def test_streams_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_source, "STREAMED_FROM", 1000)
    for row, stream, _ in _open(WHEEL).get_contents():
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
    wheel = _raw(zips.with_mode(WHEEL.data, {"foo/data.bin": mode}))
    modes = {row[0]: is_executable for row, _, is_executable in _open(wheel).get_contents()}
    assert modes["foo/data.bin"] is executable


@pytest.mark.parametrize(
    "name", ["INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"]
)
def test_leaves_out_what_installers_write_themselves(name: str) -> None:
    assert f"{INFO}/{name}" not in _read(_with({f"{INFO}/{name}": b"forged"}))


def test_keeps_files_of_such_names_elsewhere() -> None:
    assert "foo/INSTALLER" in _read(_with({"foo/INSTALLER": b"mine"}))


def test_passes_over_folders() -> None:
    wheel = _rezipped(lambda files: files.update({"foo/": b""}))
    data = zips.with_mode(wheel.data, {"foo/": stat.S_IFDIR | 0o755})
    assert "foo/" not in _read(_raw(data))


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
    wheel = _open(TinyWheel(file_name=file_name, data=zip_bytes(files)))
    assert wheel.dist_info_dir == f"{info}.dist-info"
    assert wheel.data_dir == f"{info}.data"


def test_counts_what_it_unpacks_to() -> None:
    with zipfile.ZipFile(io.BytesIO(WHEEL.data)) as archive:
        assert _open(WHEEL).unpacked_size == sum(i.file_size for i in archive.infolist())


# The archive.


@pytest.mark.parametrize(
    "data", [b"", b"hello", WHEEL.data[:-10], WHEEL.data[: len(WHEEL.data) // 2]]
)
def test_refuses_what_is_not_a_zip(data: bytes) -> None:
    assert "is not a wheel" in _refusal(_raw(data))


def test_refuses_encrypted_file() -> None:
    said = _refusal(_raw(zips.patch(WHEEL.data, "foo/data.bin", flags=1)))
    assert "'foo/data.bin' is encrypted" in said


@pytest.mark.parametrize("method", [1, 9, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93, 99])
def test_refuses_other_methods_than_stored_and_deflated(method: int) -> None:
    said = _refusal(_raw(zips.patch(WHEEL.data, "foo/data.bin", method=method)))
    assert "'foo/data.bin' is compressed by an unknown method" in said


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_refuses_links_and_devices(kind: int) -> None:
    said = _refusal(_raw(zips.with_mode(WHEEL.data, {"foo/data.bin": kind | 0o777})))
    assert "'foo/data.bin' is not a regular file" in said


@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID, stat.S_ISUID | stat.S_ISGID])
def test_refuses_setuid_and_setgid(bit: int) -> None:
    said = _refusal(_raw(zips.with_mode(WHEEL.data, {"foo/data.bin": 0o100755 | bit})))
    assert "'foo/data.bin' is setuid or setgid" in said


def test_refuses_name_twice() -> None:
    data = WHEEL.data.replace(b"foo/data.bin", b"foo/twin.bin")
    two = _with({"foo/data.bin": b"one", "foo/twin.bin": b"two"}).data
    twice = two.replace(b"foo/twin.bin", b"foo/data.bin")
    assert data != WHEEL.data
    assert "'foo/data.bin' is there twice" in _refusal(_raw(twice))


def test_refuses_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_source, "MAX_FILES", 5)
    assert "it holds more than 5 files" in _refusal(WHEEL)


def test_refuses_to_unpack_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_source, "MAX_UNPACKED", 1000)
    assert "it unpacks to more than 1000 bytes" in _refusal(WHEEL)


def test_refuses_to_unpack_to_many_times_the_wheels_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_source, "UNSUSPICIOUS", 100)
    monkeypatch.setattr(wheel_source, "MAX_RATIO", 2)
    assert "more than 2 times its size" in _refusal(WHEEL)


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
    said = _refusal(_with({name: b"x"}))
    assert f"{name!r} {problem}" in said


def test_refuses_name_that_is_cut_at_nul() -> None:
    data = _with({"foo.txt_.exe": b"x"}).data.replace(b"foo.txt_", b"foo.txt\0")
    assert "has a character that file names must not have" in _refusal(_raw(data))


def test_refuses_name_that_is_empty_before_nul() -> None:
    data = _with({"_foo.txt": b"x"}).data.replace(b"_foo.txt", b"\0foo.txt")
    assert "has a character that file names must not have" in _refusal(_raw(data))


def test_takes_names_in_other_scripts() -> None:
    assert _read(_with({"foo/žluťoučký 馬.txt": b"x"}))["foo/žluťoučký 馬.txt"] == b"x"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Foo.py", "foo.py"), ("\u00e9.py", "e\u0301.py"), ("x", "x/y.py")],
    ids=["case", "normalization", "file and folder"],
)
def test_refuses_names_that_are_one_file_on_some_file_systems(one: str, other: str) -> None:
    wheel = make_wheel("foo", files={one: b"", other: b""})
    assert repr(one) in _refusal(wheel)


def test_refuses_part_of_a_name_that_no_file_system_takes() -> None:
    assert "has a part that is longer than 255 bytes" in _refusal(_with({"é" * 128: b""}))


# The one .dist-info.


def test_refuses_wheel_without_dist_info() -> None:
    said = _refusal(_raw(zip_bytes({"foo.py": b""})))
    assert "it has 0 .dist-info folders instead of one" in said


def test_refuses_wheel_with_two_dist_infos() -> None:
    said = _refusal(_with({"bar-1.0.dist-info/METADATA": b""}))
    assert "it has 2 .dist-info folders instead of one" in said


@pytest.mark.parametrize(
    "info", ["bar-1.0", "foo-1.1", "foo", "foo-1.0-1", "foo-", "-1.0", "foo -1.0", "fôo-1.0"]
)
def test_refuses_dist_info_of_another_wheel(info: str) -> None:
    data = zip_bytes({f"{info}.dist-info/RECORD": b""})
    assert f"{info}.dist-info is not that of this wheel" in _refusal(_raw(data))


def test_refuses_file_in_the_place_of_dist_info() -> None:
    assert "RECORD is missing" in _refusal(_raw(zip_bytes({INFO: b""})))


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
    assert problem in _refusal(_raw(zip_bytes(files)))


def test_takes_newer_minor_versions_of_the_wheel_format() -> None:
    files = {
        f"{INFO}/METADATA": b"Name: foo\nVersion: 1.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.9\n",
    }
    record = "".join(record_row(path, data) for path, data in files.items())
    files[f"{INFO}/RECORD"] = f"{record}{INFO}/RECORD,,\n".encode()
    assert _open(_raw(zip_bytes(files))).version == "1.0"


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
    wheel = _rezipped(lambda files: files.update({f"{INFO}/METADATA": text}))
    assert "METADATA does not state the name and the version of this wheel" in _refusal(wheel)


def test_refuses_wheel_without_metadata() -> None:
    wheel = _rezipped(lambda files: files.pop(f"{INFO}/METADATA"))
    assert "METADATA is missing" in _refusal(wheel)


# RECORD.


def _record(text: str | bytes) -> TinyWheel:
    """Return the wheel with another RECORD."""
    data = text if isinstance(text, bytes) else text.encode()
    return _rezipped(lambda files: files.update({f"{INFO}/RECORD": data}))


def _rows() -> str:
    with zipfile.ZipFile(io.BytesIO(WHEEL.data)) as archive:
        return archive.read(f"{INFO}/RECORD").decode()


ROW = record_row("foo/data.bin", FILES["foo/data.bin"])
DIGEST = ROW.split(",")[1]


def test_refuses_wheel_without_record() -> None:
    wheel = _rezipped(lambda files: files.pop(f"{INFO}/RECORD"))
    assert f"{INFO}/RECORD is missing" in _refusal(wheel)


def test_refuses_wheel_whose_record_lists_absent_file() -> None:
    said = _refusal(_record(_rows() + record_row("foo/gone.py", b"")))
    assert "RECORD lists 'foo/gone.py', which is absent" in said


def test_refuses_wheel_with_file_that_record_does_not_list() -> None:
    wheel = _rezipped(lambda files: files.update({"foo/extra.py": b""}))
    assert "'foo/extra.py' is not in RECORD" in _refusal(wheel)


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "md5=1B2M2Y8AsgTpgAmY7PhCfg",
        "sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk",
        "sha256=",
        "sha256",
        "SHA256=x",
        "sha256=a b",
        "sha224=x",
    ],
)
def test_refuses_file_without_strong_hash(digest: str) -> None:
    said = _refusal(_record(_rows().replace(DIGEST, digest)))
    assert "RECORD has no strong hash for 'foo/data.bin'" in said


@pytest.mark.parametrize("size", ["0", "10241", "-1", "1e4", "many"])
def test_refuses_file_of_another_size_than_record_states(size: str) -> None:
    said = _refusal(_record(_rows().replace(f"{DIGEST},10240", f"{DIGEST},{size}")))
    assert "RECORD states another size for 'foo/data.bin'" in said


def test_record_need_not_state_sizes() -> None:
    assert _read(_record(_rows().replace(f"{DIGEST},10240", f"{DIGEST},")))


def test_refuses_record_that_lists_a_file_twice() -> None:
    assert "RECORD lists a file twice" in _refusal(_record(_rows() + ROW))


def test_refuses_record_that_lists_a_file_twice_in_two_spellings() -> None:
    said = _refusal(_record(_rows() + ROW.replace("/", "\\")))
    assert "RECORD lists a file twice" in said


@pytest.mark.parametrize(
    "line", ["foo/data.bin", "a,b", "a,b,c,d", "", '"a', "x" * 200_000 + ",sha256=a,1"]
)
def test_refuses_record_that_cannot_be_read(line: str) -> None:
    _refusal(_record(f"{_rows()}{line}\n"))


def test_refuses_record_that_is_not_utf8() -> None:
    assert "RECORD is not UTF-8" in _refusal(_record(b"\xff,,\n"))


@pytest.mark.parametrize("row", ["md5=x,", "sha256,", "crc=1,", "sha256=x,99"])
def test_refuses_odd_row_for_record_itself(row: str) -> None:
    rows = _rows().replace(f"{INFO}/RECORD,,", f"{INFO}/RECORD,{row}")
    assert f"'{INFO}/RECORD'" in _refusal(_record(rows))


def test_signatures_of_record_need_not_be_listed() -> None:
    wheel = _rezipped(lambda files: files.update({f"{INFO}/RECORD.jws": b"x"}))
    assert f"{INFO}/RECORD.jws" not in _read(wheel)


def test_names_every_problem_of_a_wheel_at_once() -> None:
    def change(files: dict[str, bytes]) -> None:
        files["foo/extra.py"] = b""
        files["foo/more.py"] = b""

    said = _refusal(_rezipped(change))
    assert said.splitlines() == [
        f"{WHEEL.file_name} breaks 2 rules",
        "'foo/extra.py' is not in RECORD",
        "'foo/more.py' is not in RECORD",
    ]


def test_says_what_to_do() -> None:
    with pytest.raises(MalformedError) as caught:
        _open(_with({"../x": b""}))
    assert caught.value.hint == HINT


# .data


@pytest.mark.parametrize(
    "path",
    [
        "scripts/tool",
        "data/share/man/man1/tool.1",
        "headers/foo.h",
        "headers/sub/foo.h",
        "purelib/x.py",
        "platlib/x.so",
    ],
)
def test_takes_the_folders_that_data_may_have(path: str) -> None:
    assert f"foo-1.0.data/{path}" in _read(_with({f"foo-1.0.data/{path}": b"x"}))


@pytest.mark.parametrize("path", ["file", "include/foo.h", "Scripts/x", "stdlib/os.py", "scripts"])
def test_refuses_other_folders_in_data(path: str) -> None:
    said = _refusal(_with({f"foo-1.0.data/{path}": b"x"}))
    assert f"'foo-1.0.data/{path}' is in no folder that .data may have" in said


def test_refuses_file_called_data() -> None:
    said = _refusal(_with({"foo-1.0.data": b"x"}))
    assert "'foo-1.0.data' is a file, not a folder" in said


@pytest.mark.parametrize("name", ["sub/tool", "-rf", ".hidden", "a;b", "a$b", "a`b", "ünder", "a*"])
def test_refuses_script_file_of_odd_name(name: str) -> None:
    said = _refusal(_with({f"foo-1.0.data/scripts/{name}": b"x"}))
    assert f"'foo-1.0.data/scripts/{name}' is not the name of a script" in said


@pytest.mark.parametrize("name", ["foo-1.0.data2/x", "foo-2.0.data/file", "foo-1.0.database"])
def test_other_names_that_look_like_data_are_plain_files(name: str) -> None:
    assert name in _read(_with({name: b"x"}))


# Entry points.


def _entry_points(text: str) -> TinyWheel:
    return make_wheel("foo", entry_points=text)


@pytest.mark.parametrize("section", ["console_scripts", "gui_scripts"])
@pytest.mark.parametrize(
    "name", ["../x", "a/b", "/bin/sh", "..", ".x", "-x", "a\\b", "a;b", "%(x)s", "a\x1bb", "ünder"]
)
def test_refuses_entry_point_that_is_not_the_name_of_a_script(section: str, name: str) -> None:
    said = _refusal(_entry_points(f"[{section}]\n{name} = foo:main\n"))
    assert f"entry point {name!r} is not the name of a script" in said


@pytest.mark.parametrize(
    "name", ["foo", "foo-bar", "foo.py", "foo3.12", "foo bar", "c++filt", "_x"]
)
def test_takes_names_of_scripts(name: str) -> None:
    assert _read(_entry_points(f"[console_scripts]\n{name} = foo:main\n"))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "foo",
        "foo:",
        ":main",
        "foo:main()",
        "foo:main; import os",
        "foo:main as x",
        "foo-bar:main",
        "foo:main\n  import os",
        "foo:%(x)s",
        "%(x)s:main",
        "foo:main [%(x)s]",
        "foo:main [100%]",
        "foo:main [%%]",
        "foo:main [extra] # comment",
    ],
)
def test_refuses_entry_point_that_does_not_name_a_function(value: str) -> None:
    said = _refusal(_entry_points(f"[console_scripts]\ntool = {value}\n"))
    assert "entry point 'tool' does not name a function" in said


@pytest.mark.parametrize(
    "value", ["foo:main", "foo.bar:Class.method", "foo : main", "foo:main [extra]", "föö:main"]
)
def test_takes_references_to_functions(value: str) -> None:
    assert _read(_entry_points(f"[console_scripts]\ntool = {value}\n"))


def test_refuses_defaults_for_entry_points() -> None:
    text = "[DEFAULT]\nevil = foo:main\n[console_scripts]\ntool = foo:main\n"
    assert "entry_points.txt has a section DEFAULT" in _refusal(_entry_points(text))


@pytest.mark.parametrize(
    "text",
    [
        "tool = foo:main\n",
        "[console_scripts]\ntool\n",
        "[console_scripts]\ntool = foo:main\ntool = foo:other\n",
        "[console_scripts]\n[console_scripts]\n",
        "[console_scripts\ntool = foo:main\n",
    ],
)
def test_refuses_entry_points_that_cannot_be_read(text: str) -> None:
    assert "entry_points.txt cannot be read" in _refusal(_entry_points(text))


def test_refuses_entry_points_that_are_not_utf8() -> None:
    wheel = _with({f"{INFO}/entry_points.txt": b"\xff"})
    assert "entry_points.txt is not UTF-8" in _refusal(wheel)


def test_other_groups_of_entry_points_may_hold_anything() -> None:
    assert _read(_entry_points("[pytest11]\n../x = 100% [of it]\n%(y)s = %(z)s\n"))


def test_metadata_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_source, "_MAX_METADATA", 100)
    assert "RECORD is larger than 100 bytes" in _refusal(WHEEL)


# Contents that are not what the archive says of them, read at once and piece by piece.


@pytest.fixture(params=["at once", "piece by piece"])
def read_both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: with the file below and above the size from which files are streamed."""
    if request.param == "piece by piece":
        monkeypatch.setattr(wheel_source, "STREAMED_FROM", 2000)


BIN = "foo/data.bin"


def _resized(size: int) -> TinyWheel:
    """Return the wheel whose directory and RECORD state another size than the file has."""
    rows = _rows().replace(f"{DIGEST},10240", f"{DIGEST},{size}")
    return _raw(zips.patch(_record(rows).data, BIN, size=size))


def _noise_in_content() -> bytes:
    data = bytearray(WHEEL.data)
    where = zips.content(WHEEL.data, BIN)
    data[where] = b"\xff" * len(data[where])
    return bytes(data)


def _with_local(offset: int, value: bytes) -> bytes:
    at = zips.local_header(WHEEL.data, BIN) + offset
    return WHEEL.data[:at] + value + WHEEL.data[at + len(value) :]


WRONG_CONTENTS = {
    "states too little": _resized(5000),
    "states too much": _resized(20_000),
    "content is noise": _raw(_noise_in_content()),
    "content is cut": _raw(zips.patch(WHEEL.data, BIN, compressed_size=20)),
    "content is empty": _raw(zips.patch(WHEEL.data, BIN, compressed_size=0)),
    "content reaches past the end": _raw(zips.patch(WHEEL.data, BIN, compressed_size=2**32 - 2)),
    "stored, says the directory": _raw(zips.patch(WHEEL.data, BIN, method=0)),
    "header lies elsewhere": _raw(zips.patch(WHEEL.data, BIN, offset=1)),
    "header lies at the end": _raw(zips.patch(WHEEL.data, BIN, offset=len(WHEEL.data) - 5)),
    "header lies past the end": _raw(zips.patch(WHEEL.data, BIN, offset=2**32 - 2)),
    "header is none": _raw(_with_local(0, b"XX")),
    "name reaches past the end": _raw(_with_local(26, b"\xff\xff")),
}


@pytest.mark.usefixtures("read_both_ways")
@pytest.mark.parametrize("what", WRONG_CONTENTS)
def test_refuses_content_that_is_not_as_stated(what: str) -> None:
    assert BIN in _refusal(WRONG_CONTENTS[what])


@pytest.mark.usefixtures("read_both_ways")
def test_refuses_content_that_does_not_have_the_hash_that_record_states() -> None:
    other = bytes(range(255, -1, -1)) * 40
    said = _refusal(_rezipped(lambda files: files.update({BIN: other})))
    assert f"{BIN!r} does not have the hash that RECORD states" in said


@pytest.mark.usefixtures("read_both_ways")
def test_refuses_directory_that_begins_before_the_file() -> None:
    end = WHEEL.data.rindex(b"PK\x05\x06")
    (offset,) = struct.unpack_from("<I", WHEEL.data, end + 16)
    data = bytearray(WHEEL.data)
    struct.pack_into("<I", data, end + 16, offset + 100)
    _refusal(_raw(bytes(data)))


@pytest.mark.parametrize("streamed_from", [2000, 20_000])
@given(data=st.data())
def test_whatever_is_wrong_is_told_as_a_malformed_wheel(
    streamed_from: int, data: st.DataObject
) -> None:
    changed = bytearray(WHEEL.data)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(MalformedError):
        patch.setattr(wheel_source, "STREAMED_FROM", streamed_from)
        _read(_raw(bytes(changed)))
