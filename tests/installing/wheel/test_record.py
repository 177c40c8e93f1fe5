import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.making import zips
from support.making.foo_wheel import (
    DIGEST,
    INFO,
    ROW,
    WHEEL,
    open_wheel,
    raw_wheel,
    read_wheel,
    record_rows,
    refusal_of,
    rezipped,
    with_files,
    with_record,
)
from support.making.wheels import TinyWheel, record_row
from wheelferry_installer.wheel import verified_wheel
from wheelferry_installer.wheel.record import parse_record
from wheelferry_schemas.errors import MalformedError

HINT = "the wheel was made wrong or with bad intent: ask whoever made the bundle"


# RECORD.


def test_refuses_wheel_without_record() -> None:
    wheel = rezipped(lambda files: files.pop(f"{INFO}/RECORD"))
    assert f"{INFO}/RECORD is missing" in refusal_of(wheel)


def test_refuses_wheel_whose_record_lists_absent_file() -> None:
    said = refusal_of(with_record(record_rows() + record_row("foo/gone.py", b"")))
    assert "RECORD lists 'foo/gone.py', which is absent" in said


def test_refuses_wheel_with_file_that_record_does_not_list() -> None:
    wheel = rezipped(lambda files: files.update({"foo/extra.py": b""}))
    assert "'foo/extra.py' is not in RECORD" in refusal_of(wheel)


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
    said = refusal_of(with_record(record_rows().replace(DIGEST, digest)))
    assert "RECORD has no strong hash for 'foo/data.bin'" in said


@pytest.mark.parametrize("size", ["0", "10241", "-1", "1e4", "many"])
def test_refuses_file_of_another_size_than_record_states(size: str) -> None:
    said = refusal_of(with_record(record_rows().replace(f"{DIGEST},10240", f"{DIGEST},{size}")))
    assert "RECORD states another size for 'foo/data.bin'" in said


def test_record_need_not_state_sizes() -> None:
    assert read_wheel(with_record(record_rows().replace(f"{DIGEST},10240", f"{DIGEST},")))


def test_refuses_record_that_lists_a_file_twice() -> None:
    assert "RECORD lists a file twice" in refusal_of(with_record(record_rows() + ROW))


def test_refuses_record_that_lists_a_file_twice_in_two_spellings() -> None:
    said = refusal_of(with_record(record_rows() + ROW.replace("/", "\\")))
    assert "RECORD lists a file twice" in said


@pytest.mark.parametrize(
    "line", ["foo/data.bin", "a,b", "a,b,c,d", "", '"a', "x" * 200_000 + ",sha256=a,1"]
)
def test_refuses_record_that_cannot_be_read(line: str) -> None:
    refusal_of(with_record(f"{record_rows()}{line}\n"))


def test_reads_as_many_rows_as_there_are_files_and_one_more() -> None:
    assert list(parse_record("a,,\nb,,\nc,,\n", 2)) == ["a", "b", "c"]


def test_refuses_record_of_more_rows_before_reading_it() -> None:
    with pytest.raises(MalformedError, match="RECORD has more rows than there are files"):
        parse_record("a,,\nb,,\nc,,\nd,,\n", 2)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_ends_of_lines_in_names_are_kept(end: str) -> None:
    assert list(parse_record(f'"a{end}b",,\n', 2)) == [f"a{end}b"]


def test_refuses_record_that_is_not_utf8() -> None:
    assert "RECORD is not UTF-8" in refusal_of(with_record(b"\xff,,\n"))


@pytest.mark.parametrize("row", ["md5=x,", "sha256,", "crc=1,", "sha256=x,99"])
def test_refuses_odd_row_for_record_itself(row: str) -> None:
    rows = record_rows().replace(f"{INFO}/RECORD,,", f"{INFO}/RECORD,{row}")
    assert f"'{INFO}/RECORD'" in refusal_of(with_record(rows))


def test_signatures_of_record_need_not_be_listed() -> None:
    wheel = rezipped(lambda files: files.update({f"{INFO}/RECORD.jws": b"x"}))
    assert f"{INFO}/RECORD.jws" not in read_wheel(wheel)


def test_names_every_problem_of_a_wheel_at_once() -> None:
    def change(files: dict[str, bytes]) -> None:
        files["foo/extra.py"] = b""
        files["foo/more.py"] = b""

    said = refusal_of(rezipped(change))
    assert said.splitlines() == [
        f"{WHEEL.file_name} breaks 2 rules",
        "'foo/extra.py' is not in RECORD",
        "'foo/more.py' is not in RECORD",
    ]


def test_says_what_to_do() -> None:
    with pytest.raises(MalformedError) as caught:
        open_wheel(with_files({"../x": b""}))
    assert caught.value.hint == HINT


# Contents that are not what the archive says of them, read at once and piece by piece.


@pytest.fixture(params=["at once", "piece by piece"])
def read_both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: with the file below and above the size from which files are streamed."""
    if request.param == "piece by piece":
        monkeypatch.setattr(verified_wheel, "STREAMED_FROM", 2000)


BIN = "foo/data.bin"


def _resized(size: int) -> TinyWheel:
    """Return the wheel whose directory and RECORD state another size than the file has."""
    rows = record_rows().replace(f"{DIGEST},10240", f"{DIGEST},{size}")
    return raw_wheel(zips.patch(with_record(rows).data, BIN, size=size))


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
    "content is noise": raw_wheel(_noise_in_content()),
    "content is cut": raw_wheel(zips.patch(WHEEL.data, BIN, compressed_size=20)),
    "content is empty": raw_wheel(zips.patch(WHEEL.data, BIN, compressed_size=0)),
    "content reaches past the end": raw_wheel(
        zips.patch(WHEEL.data, BIN, compressed_size=2**32 - 2)
    ),
    "stored, says the directory": raw_wheel(zips.patch(WHEEL.data, BIN, method=0)),
    "header lies elsewhere": raw_wheel(zips.patch(WHEEL.data, BIN, offset=1)),
    "header lies at the end": raw_wheel(zips.patch(WHEEL.data, BIN, offset=len(WHEEL.data) - 5)),
    "header lies past the end": raw_wheel(zips.patch(WHEEL.data, BIN, offset=2**32 - 2)),
    "header is none": raw_wheel(_with_local(0, b"XX")),
    "name reaches past the end": raw_wheel(_with_local(26, b"\xff\xff")),
}


@pytest.mark.usefixtures("read_both_ways")
@pytest.mark.parametrize("what", WRONG_CONTENTS)
def test_refuses_content_that_is_not_as_stated(what: str) -> None:
    assert BIN in refusal_of(WRONG_CONTENTS[what])


@pytest.mark.usefixtures("read_both_ways")
def test_refuses_content_that_does_not_have_the_hash_that_record_states() -> None:
    other = bytes(range(255, -1, -1)) * 40
    said = refusal_of(rezipped(lambda files: files.update({BIN: other})))
    assert f"{BIN!r} does not have the hash that RECORD states" in said


@pytest.mark.usefixtures("read_both_ways")
def test_refuses_directory_that_begins_before_the_file() -> None:
    end = WHEEL.data.rindex(b"PK\x05\x06")
    (offset,) = struct.unpack_from("<I", WHEEL.data, end + 16)
    data = bytearray(WHEEL.data)
    struct.pack_into("<I", data, end + 16, offset + 100)
    refusal_of(raw_wheel(bytes(data)))


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
        patch.setattr(verified_wheel, "STREAMED_FROM", streamed_from)
        read_wheel(raw_wheel(bytes(changed)))
