"""Directories of ZIP archives: what they say is read, and what is ambiguous is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest

from vectors.raw_zip import (
    DEFLATED,
    DESCRIPTOR,
    STORED,
    UTF8,
    Ending,
    RawEntry,
    build,
    deflate,
    descriptor,
    unicode_path_field,
    zip64_field,
)
from wheelferry_installer.wheel.zip_directory import ZipEntry, read_directory, stated_sizes
from wheelferry_schemas.errors import MalformedError

FOO = RawEntry(name=b"foo.py", content=b"foo" * 100)
BAR = RawEntry(name=b"bar/bar.so", content=b"bar", method=STORED, mode=0o100755)
PACKED = len(deflate(FOO.content))
MAX16, MAX32 = 0xFFFF, 0xFFFFFFFF
HEADER, CENTRAL, END = 30, 46, 22


def _read(data: bytes, max_entries: int = 10) -> tuple[list[ZipEntry], list[str]]:
    return read_directory(io.BytesIO(data), max_entries)


def _sound(data: bytes) -> list[ZipEntry]:
    entries, problems = _read(data)
    assert problems == []
    return entries


def _refusal(data: bytes) -> str:
    with pytest.raises(MalformedError) as caught:
        _read(data)
    return caught.value.message


def _problems(*entries: RawEntry) -> list[str]:
    return _read(build(entries))[1]


def test_tells_what_the_directory_says() -> None:
    folder = RawEntry(name=b"bar/", method=STORED, mode=0o40755)
    data = build([FOO, folder, BAR])
    foo, bar_folder, bar = _sound(data)
    assert foo == ZipEntry(
        name="foo.py",
        method=DEFLATED,
        encrypted=False,
        mode=0o100644,
        packed_size=PACKED,
        size=300,
        crc=zlib.crc32(FOO.content),
        start=HEADER + len(b"foo.py"),
    )
    assert (bar_folder.is_folder, foo.is_folder) == (True, False)
    assert (bar.method, bar.mode, bar.size) == (STORED, 0o100755, 3)
    assert data[bar.start : bar.start + bar.packed_size] == b"bar"


def test_takes_archive_of_nothing() -> None:
    assert _read(build([])) == ([], [])


def test_entries_are_in_the_order_of_the_directory() -> None:
    data = build([FOO, BAR])
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 1)
    end = data.index(b"PK\5\6")
    swapped = data[:first] + data[second:end] + data[first:second] + data[end:]
    assert _sound(swapped) == _sound(data)[::-1]


def test_takes_as_many_files_as_are_allowed() -> None:
    assert len(_read(build([FOO, BAR]), 2)[0]) == 2


def test_refuses_more_files_than_are_allowed() -> None:
    with pytest.raises(MalformedError, match="it holds more than 1 files"):
        _read(build([FOO, BAR]), 1)


def test_tells_that_a_file_is_encrypted() -> None:
    assert [entry.encrypted for entry in _sound(build([FOO.changed(flags=1), BAR]))] == [
        True,
        False,
    ]


@pytest.mark.parametrize("flags", [2, 4, 6])
def test_takes_flags_that_say_how_hard_was_deflated(flags: int) -> None:
    assert _sound(build([FOO.changed(flags=flags)]))


@pytest.mark.parametrize("flags", [0x10, 0x20, 0x40, 0x80, 0x400, 0x1000, 0x2000, 0x8000])
def test_tells_of_unknown_flags(flags: int) -> None:
    assert _problems(FOO.changed(flags=flags)) == [
        f"'foo.py' has flags that are not known: {flags:#06x}"
    ]


# Names.


def test_takes_names_of_a_thousand_bytes() -> None:
    assert _sound(build([FOO.changed(name=b"x" * 1000)]))[0].name == "x" * 1000


def test_refuses_longer_names() -> None:
    said = _refusal(build([FOO.changed(name=b"x" * 1001)]))
    assert said == f"the name {'x' * 40!r}… is longer than 1000 bytes"


def test_takes_names_that_are_marked_as_utf8() -> None:
    entry = FOO.changed(name="é".encode(), flags=UTF8)
    assert _sound(build([entry]))[0].name == "é"


@pytest.mark.parametrize(("name", "flags"), [(b"\xc3\xa9", 0), (b"\xe9", 0), (b"\xe9", UTF8)])
def test_refuses_names_of_no_known_encoding(name: bytes, flags: int) -> None:
    said = _refusal(build([FOO.changed(name=name, flags=flags)]))
    assert said == f"the name {name!r} is in no known encoding"


# The end.


@pytest.mark.parametrize("size", [0, 1, END - 1])
def test_refuses_what_is_shorter_than_an_end(size: int) -> None:
    assert _refusal(build([])[:size]) == "it is too short"


@pytest.mark.parametrize("suffix", [b"x", b"\0" * 100])
def test_refuses_what_follows_the_end(suffix: bytes) -> None:
    assert "does not end as a ZIP archive" in _refusal(build([FOO], suffix=suffix))


def test_refuses_comment() -> None:
    assert _refusal(build([FOO], Ending(comment=b"x")))


def test_refuses_comment_that_is_announced_only() -> None:
    assert "does not end as" in _refusal(build([FOO])[:-2] + b"\1\0")


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("field", ["disk", "first_disk", "here", "number"])
def test_refuses_part_of_an_archive_of_several_files(field: str, *, zip64: bool) -> None:
    fields = {field: 2}
    ending = Ending(fields=fields, zip64=zip64, wide=fields if zip64 else {})
    assert _refusal(build([FOO], ending)) == "it is a part of an archive of several files"


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("by", [1, -1, 10_000])
@pytest.mark.parametrize("field", ["size", "offset"])
def test_refuses_directory_that_lies_elsewhere(field: str, by: int, *, zip64: bool) -> None:
    data = build([FOO])
    size, offset = struct.unpack_from("<2I", data, len(data) - 10)
    fields = {field: {"size": size, "offset": offset}[field] + by}
    ending = Ending(fields=fields, zip64=zip64, wide=fields if zip64 else {})
    assert _refusal(build([FOO], ending)) == "its directory does not end where its end begins"


@pytest.mark.parametrize("number", [1, 3])
def test_refuses_directory_of_another_number_of_files(number: int) -> None:
    ending = Ending(fields={"here": number, "number": number})
    assert "than" in _refusal(build([FOO, BAR], ending))


_FIELDS = {
    "disk": MAX16,
    "first_disk": MAX16,
    "here": MAX16,
    "number": MAX16,
    "size": MAX32,
    "offset": MAX32,
}


@pytest.mark.parametrize("field", _FIELDS)
def test_refuses_end_that_refers_to_zip64_fields_that_are_not_there(field: str) -> None:
    said = _refusal(build([FOO], Ending(fields={field: _FIELDS[field]})))
    assert said == "its end refers to ZIP64 fields that are not there"


@pytest.mark.parametrize("fields", [{}, *({field: value} for field, value in _FIELDS.items())])
def test_takes_zip64_end_that_agrees(fields: dict[str, int]) -> None:
    assert len(_sound(build([FOO, BAR], Ending(zip64=True, fields=fields)))) == 2


@pytest.mark.parametrize("field", _FIELDS)
def test_refuses_zip64_end_that_says_something_else(field: str) -> None:
    said = _refusal(build([FOO], Ending(zip64=True, wide={field: 7})))
    assert said == "its end and its ZIP64 end say different things"


@pytest.mark.parametrize(("at", "value"), [(4, 1), (8, 1), (16, 0), (16, 2)])
def test_refuses_locator_of_another_file(at: int, value: int) -> None:
    data = bytearray(build([FOO], Ending(zip64=True)))
    locator = len(data) - END - 20
    struct.pack_into("<I", data, locator + at, value)
    assert _refusal(bytes(data)) == "its ZIP64 end is not where it is said to be"


@pytest.mark.parametrize(("at", "value"), [(0, b"PK\6\7"), (4, b"\x2d"), (4, b"\x2b")])
def test_refuses_zip64_end_that_is_none(at: int, value: bytes) -> None:
    data = bytearray(build([FOO], Ending(zip64=True)))
    wide = len(data) - END - 20 - 56 + at
    data[wide : wide + len(value)] = value
    assert _refusal(bytes(data)) == "its ZIP64 end is invalid, or has unknown fields"


def test_refuses_zip64_end_that_begins_before_the_file() -> None:
    whole = build([], Ending(zip64=True))
    assert _refusal(whole[-END - 20 :]) == "its ZIP64 end is not where it is said to be"


# Single fields of the directory.


@pytest.mark.parametrize("central", [{"comment": b"x"}, {"disk": 1}])
def test_refuses_comments_and_other_archives(central: dict[str, int | bytes]) -> None:
    said = _refusal(build([FOO.changed(central=central)]))
    assert said == "'foo.py' has a comment, or lies in another archive"


@pytest.mark.parametrize("at", [28, 30, 32])
def test_refuses_entry_that_is_longer_than_the_directory(at: int) -> None:
    data = bytearray(build([FOO]))
    struct.pack_into("<H", data, data.index(b"PK\1\2") + at, 500)
    assert _refusal(bytes(data)) == "its directory cannot be read"


def test_refuses_entry_without_its_mark() -> None:
    assert _refusal(build([FOO]).replace(b"PK\1\2", b"PK\1\3")) == "its directory cannot be read"


_SIZES = {"size": 300, "packed_size": PACKED, "offset": 0}


@pytest.mark.parametrize(
    "missing",
    [
        ("size",),
        ("packed_size",),
        ("offset",),
        ("size", "packed_size"),
        ("size", "offset"),
        ("packed_size", "offset"),
        ("size", "packed_size", "offset"),
    ],
)
def test_takes_from_zip64_field_what_the_entry_leaves_out(missing: tuple[str, ...]) -> None:
    entry = FOO.changed(
        central=dict.fromkeys(missing, MAX32),
        central_extra=zip64_field(*(_SIZES[name] for name in missing)),
    )
    assert _sound(build([entry])) == _sound(build([FOO]))


@pytest.mark.parametrize(
    ("central", "values"),
    [({}, (300,)), ({"size": MAX32}, ()), ({"size": MAX32}, (300, PACKED))],
    ids=["none called for", "none there", "one too many"],
)
def test_refuses_zip64_field_that_is_not_called_for(
    central: dict[str, int], values: tuple[int, ...]
) -> None:
    extra = zip64_field(*values) if values else b""
    said = _refusal(build([FOO.changed(central=central, central_extra=extra)]))
    assert said == "the ZIP64 field of 'foo.py' is not what its entry requires"


def test_takes_other_extra_fields_of_the_directory() -> None:
    extra = struct.pack("<HHI", 0x5455, 4, 0) + struct.pack("<HH", 0xCAFE, 0)
    assert _sound(build([FOO.changed(central_extra=extra, local_extra=extra)]))


@pytest.mark.parametrize("extra", [b"x", b"xxx", b"\0\0\1\0", b"\xfe\xca\2\0x", b"\0\0\0\0x"])
@pytest.mark.parametrize("where", ["local_extra", "central_extra"])
def test_refuses_extra_fields_that_cannot_be_read(where: str, extra: bytes) -> None:
    said = _refusal(build([FOO.changed(**{where: extra})]))
    assert said == "the extra fields of 'foo.py' cannot be read"


@pytest.mark.parametrize("where", ["local_extra", "central_extra"])
def test_refuses_other_name_in_extra_fields(where: str) -> None:
    field = unicode_path_field(FOO.name, b"bar.py")
    said = _refusal(build([FOO.changed(**{where: field})]))
    assert said == "'foo.py' has another name in its extra fields"


@pytest.mark.parametrize("where", ["local_extra", "central_extra"])
def test_takes_same_name_in_extra_fields(where: str) -> None:
    field = unicode_path_field(FOO.name, FOO.name)
    assert _sound(build([FOO.changed(**{where: field})]))


@pytest.mark.parametrize("number", ["0x0001", "0x7075"])
@pytest.mark.parametrize("where", ["local_extra", "central_extra"])
def test_refuses_extra_field_that_comes_twice(where: str, number: str) -> None:
    field = zip64_field() if number == "0x0001" else unicode_path_field(FOO.name, FOO.name)
    said = _refusal(build([FOO.changed(**{where: field * 2})]))
    assert said == f"'foo.py' has the extra field {number} twice"


# Headers.


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("name", b"fox.py", "name"),
        ("name", b"foo.pyc", "name"),
        ("name", b"foo", "name"),
        ("flags", 2, "flags"),
        ("method", STORED, "method"),
        ("crc", 1, "CRC"),
        ("size", 301, "size"),
        ("packed_size", PACKED + 1, "packed size"),
        ("crc", 0, "CRC"),
        ("size", 0, "size"),
        ("packed_size", 0, "packed size"),
        ("size", MAX32, "size"),
        ("packed_size", MAX32, "packed size"),
    ],
)
def test_tells_in_what_a_header_differs(field: str, value: int | bytes, what: str) -> None:
    said = _read(build([FOO.changed(local={field: value}), BAR]))[1]
    assert said == [f"'foo.py' has another {what} than it states in its header"]


@pytest.mark.parametrize("version", [0, 10, 20, 45])
def test_takes_versions_that_are_known(version: int) -> None:
    stated = {"version": version}
    assert _problems(FOO.changed(local=stated, central=stated), BAR) == []


@pytest.mark.parametrize("version", [46, 63, 0x0314])
@pytest.mark.parametrize("part", ["local", "central"])
def test_refuses_versions_that_are_not_known(part: str, version: int) -> None:
    said = _problems(FOO.changed(**{part: {"version": version}}), BAR)
    assert said == ["'foo.py' needs a later version of ZIP than 4.5 to be read"]


def test_tells_all_in_which_headers_differ() -> None:
    said = _problems(FOO.changed(local={"size": 1, "crc": 1}), BAR.changed(local={"size": 1}))
    assert [line.split(" than")[0] for line in said] == [
        "'foo.py' has another CRC",
        "'foo.py' has another size",
        "'bar/bar.so' has another size",
    ]


def test_refuses_file_without_header() -> None:
    assert _refusal(build([FOO]).replace(b"PK\3\4", b"PK\3\5")) == "'foo.py' has no header"


@pytest.mark.parametrize("at", [26, 28])
def test_refuses_header_that_reaches_into_the_directory(at: int) -> None:
    data = bytearray(build([FOO]))
    struct.pack_into("<H", data, at, 500)
    assert _refusal(bytes(data)) == "'foo.py' has no header"


@pytest.mark.parametrize("local", [{}, {"size": MAX32, "packed_size": MAX32}, {"size": MAX32}])
def test_takes_zip64_field_in_header(local: dict[str, int]) -> None:
    assert _sound(build([FOO.changed(local=local, local_extra=zip64_field(300, PACKED))]))


@pytest.mark.parametrize("values", [(301, PACKED), (300, PACKED + 1), (0, PACKED), (300, 0)])
@pytest.mark.parametrize("local", [{}, {"size": MAX32, "packed_size": MAX32}])
def test_tells_of_other_size_in_zip64_field_of_header(
    local: dict[str, int], values: tuple[int, int]
) -> None:
    said = _problems(FOO.changed(local=local, local_extra=zip64_field(*values)))
    assert said == ["'foo.py' has another size than it states in its ZIP64 field"]


@pytest.mark.parametrize("values", [(), (300,), (300, PACKED, 0)])
def test_tells_of_other_length_of_zip64_field_in_header(values: tuple[int, ...]) -> None:
    said = _problems(FOO.changed(local_extra=zip64_field(*values)))
    assert said == ["'foo.py' has a ZIP64 field of another length than a header's"]


# What follows contents.

ANY_DESCRIPTOR = pytest.mark.parametrize(
    ("signed", "wide"), [(True, True), (True, False), (False, True), (False, False)]
)


@ANY_DESCRIPTOR
@pytest.mark.parametrize("local", [{}, {"crc": 1, "packed_size": 2, "size": 3}])
def test_takes_descriptor_of_any_form(local: dict[str, int], *, signed: bool, wide: bool) -> None:
    stated = {name: FOO.stated()[name] for name in local}
    entry = descriptor(FOO.changed(local=stated), signed=signed, wide=wide)
    foo, bar = _sound(build([entry, BAR]))
    assert (foo.packed_size, foo.size, bar.size) == (PACKED, 300, 3)


@ANY_DESCRIPTOR
@pytest.mark.parametrize("field", ["crc", "packed_size", "size"])
def test_tells_of_descriptor_that_says_something_else(
    field: str, *, signed: bool, wide: bool
) -> None:
    entry = descriptor(FOO, signed=signed, wide=wide, **{field: 7})
    said = _problems(entry, BAR)
    assert said == ["'foo.py' has another size or CRC in its data descriptor"]


@pytest.mark.parametrize("field", ["crc", "packed_size", "size"])
def test_header_before_a_descriptor_says_nothing_or_the_same(field: str) -> None:
    entry = descriptor(FOO.changed(local={field: 7}))
    assert len(_problems(entry)) == 1


@pytest.mark.parametrize("field", ["flags", "method"])
def test_only_sizes_and_crc_are_unknown_before_a_descriptor(field: str) -> None:
    entry = descriptor(FOO.changed(local={field: 0}))
    assert len(_problems(entry)) == 1


@pytest.mark.parametrize("values", [(0, 0), (300, PACKED)])
def test_takes_zip64_field_before_a_descriptor(values: tuple[int, int]) -> None:
    narrow = {"size": MAX32, "packed_size": MAX32}
    entry = descriptor(FOO.changed(local=narrow, local_extra=zip64_field(*values)), wide=True)
    assert _sound(build([entry]))


@pytest.mark.parametrize("values", [(1, 0), (0, 1)])
def test_tells_of_other_size_in_zip64_field_before_a_descriptor(values: tuple[int, int]) -> None:
    entry = descriptor(FOO.changed(local_extra=zip64_field(*values)), wide=True)
    assert _problems(entry)


@pytest.mark.parametrize("after", [b"", b"x" * 25])
def test_refuses_file_that_no_descriptor_follows(after: bytes) -> None:
    entry = FOO.changed(flags=DESCRIPTOR, after=after)
    said = _refusal(build([entry, BAR]))
    assert said == "'foo.py' is not followed by its data descriptor"


@pytest.mark.parametrize("size", [1, 11, 13, 17, 24])
def test_tells_of_descriptor_that_is_none(size: int) -> None:
    entry = FOO.changed(flags=DESCRIPTOR, after=b"x" * size)
    assert _problems(entry, BAR) == ["'foo.py' has another size or CRC in its data descriptor"]


# Where things lie.


def test_refuses_what_lies_before_the_first_file() -> None:
    said = _refusal(build([FOO], prefix=b"x"))
    assert said == (
        "'foo.py' is not where its beginning ends: they overlap, or something lies between"
    )


def test_refuses_what_lies_between_two_files() -> None:
    said = _refusal(build([FOO.changed(after=b"x"), BAR]))
    assert said == (
        "'bar/bar.so' is not where 'foo.py' ends: they overlap, or something lies between"
    )


def test_refuses_what_lies_before_the_directory() -> None:
    said = _refusal(build([FOO, BAR], before_directory=b"x"))
    assert said == "its directory does not begin where 'bar/bar.so' ends"


def test_refuses_what_lies_before_the_directory_of_nothing() -> None:
    said = _refusal(build([], before_directory=b"x"))
    assert said == "its directory does not begin where its beginning ends"


def test_refuses_file_that_is_not_in_the_directory() -> None:
    assert "is not where" in _refusal(build([FOO.changed(hidden=True), BAR]))


def test_refuses_two_files_of_one_header() -> None:
    assert "overlap" in _refusal(build([FOO, FOO.changed(packed=b"", central={"offset": 0})]))


@pytest.mark.parametrize("by", [0, 1])
def test_refuses_file_that_does_not_lie_before_the_directory(by: int) -> None:
    directory = build([FOO]).index(b"PK\1\2")
    said = _refusal(build([FOO.changed(central={"offset": directory + by})]))
    assert said == "'foo.py' does not lie before the directory"


def test_refuses_content_that_reaches_into_the_directory() -> None:
    sizes = {"packed_size": PACKED + 10}
    said = _refusal(build([FOO.changed(central=sizes, local=sizes)]))
    assert said == "its directory does not begin where 'foo.py' ends"


# What the last bytes foretell.


def test_last_bytes_foretell_the_sizes() -> None:
    data = build([FOO, BAR])
    assert stated_sizes(data) == [300, 3]
    directory = len(data) - END - 2 * CENTRAL - len(FOO.name) - len(BAR.name)
    assert stated_sizes(data[directory:]) == [300, 3]
    assert stated_sizes(data[directory + 1 :]) is None


@pytest.mark.parametrize(
    "data", [b"", bytes(END), build([FOO]) + b"x", build([FOO], ending=Ending(comment=b"x"))]
)
def test_other_last_bytes_foretell_nothing(data: bytes) -> None:
    assert stated_sizes(data) is None


def test_refuses_to_foretell_from_a_directory_that_cannot_be_read() -> None:
    data = build([FOO]).replace(b"PK\1\2", b"PK\1\3")
    with pytest.raises(MalformedError, match="directory cannot be read"):
        stated_sizes(data)
