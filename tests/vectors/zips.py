"""Wheels whose ZIP archive is hostile: what two readers read differently, links, names, bombs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from support.making.wheels import TinyWheel
from vectors.big_files import BIG_FILE_CONTROLS, BIG_FILES
from vectors.bombs import BOMBS
from vectors.good_wheel import (
    BIN,
    DATA,
    INFO,
    MODULE,
    changed,
    ended,
    entries,
    wheel,
    with_changes,
    with_more,
)
from vectors.raw_zip import (
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
from vectors.vector import WheelVector
from vectors.zip_controls import ZIP_CONTROLS

_RAW = BIN.encode()


def _second_directory() -> TinyWheel:
    """Return a wheel with another one before it: readers differ in which they take."""
    return wheel(build(entries()) + build(entries()))


def _overlapping() -> TinyWheel:
    """Return a wheel in which a file's content holds another file, header and all."""
    inner = build([RawEntry(name=b"foo/inner.py", content=MODULE, method=STORED)])
    stored = RawEntry(name=_RAW, content=inner[: inner.index(b"PK\x01\x02")], method=STORED)
    first = build([stored]).index(b"PK\x03\x04", 4)
    outer = RawEntry(
        name=b"foo/inner.py",
        content=MODULE,
        method=STORED,
        central={"offset": first},
        packed=b"",
    )
    data = build([stored, *entries()[2:], outer.changed(local={"name": b""})])
    return wheel(data)


def _two_entries_for_one_header() -> TinyWheel:
    good = entries()
    twin = RawEntry(name=_RAW, content=DATA, central={"offset": len(build(good[:1])) - 96})
    return wheel(build([*good, twin]))


def _trailing_bytes_in_packed_content() -> TinyWheel:
    return changed(lambda entry: entry.changed(packed=deflate(DATA) + b"hidden"))


def _with_directory(change: Callable[[bytes], bytes]) -> TinyWheel:
    """Return a good wheel with the last entry of its directory changed."""
    data = build(entries())
    start, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    return wheel(data[:start] + change(data[start:end]) + data[end:])


def _with_zip64_header(entry: RawEntry, local: Mapping[str, int]) -> RawEntry:
    """Return an entry with the right sizes in its header's ZIP64 field; `local` replaces others."""
    field = zip64_field(len(entry.content), len(entry.packed_content()))
    return entry.changed(local=local, local_extra=field)


def _zip64_in_directory(*values: int, **narrow: int) -> Callable[[], TinyWheel]:
    return with_changes(central=narrow, central_extra=zip64_field(*values))


ZIPS: dict[str, tuple[str, Callable[[], TinyWheel]]] = {
    "prefix": (
        "overlap, or something lies between",
        lambda: wheel(build(entries(), prefix=b"#!/bin/sh\n")),
    ),
    "prefix-not-counted": (
        "directory does not end",
        lambda: wheel(b"#!/bin/sh\n" + build(entries())),
    ),
    "suffix": ("does not end as a ZIP archive", lambda: wheel(build(entries(), suffix=b"hidden"))),
    "comment": ("does not end as a ZIP archive", ended(Ending(comment=b"hidden"))),
    "end-in-comment": (
        "directory does not end",
        ended(Ending(comment=b"PK\x05\x06" + bytes(18))),
    ),
    "empty": ("it is too short", lambda: wheel(b"")),
    "end-only": ("0 .dist-info folders", lambda: wheel(build([]))),
    "another-archive-before": ("directory does not end", _second_directory),
    "entry-comment": ("has a comment", with_changes(central={"comment": b"hidden"})),
    "gap-between-files": ("something lies between", with_changes(after=b"hidden")),
    "gap-before-directory": (
        "directory does not begin where",
        lambda: wheel(build(entries(), before_directory=b"hidden")),
    ),
    "file-not-in-directory": (
        "something lies between",
        lambda: wheel(build([RawEntry(name=b"foo/x.py", hidden=True), *entries()])),
    ),
    "file-without-header": ("overlap", _two_entries_for_one_header),
    "file-inside-another": ("overlap", _overlapping),
    "directory-of-noise": (
        "its directory cannot be read",
        lambda: _with_directory(lambda entry: b"PK\x01\x03" + entry[4:]),
    ),
    "directory-with-a-name-beyond-its-end": (
        "its directory cannot be read",
        lambda: _with_directory(lambda entry: entry[:28] + b"\xff\xff" + entry[30:]),
    ),
    "directory-counts-fewer": (
        "more than the files that are counted",
        ended(Ending(fields={"here": 4, "number": 4})),
    ),
    "directory-counts-more": (
        "fewer files than are counted",
        ended(Ending(fields={"here": 6, "number": 6})),
    ),
    "directory-counts-differ": ("archive of several files", ended(Ending(fields={"here": 4}))),
    "directory-size": ("directory does not end", ended(Ending(fields={"size": 9}))),
    "directory-offset": ("directory does not end", ended(Ending(fields={"offset": 0}))),
    "several-disks": (
        "archive of several files",
        ended(Ending(fields={"disk": 1, "first_disk": 1})),
    ),
    "file-on-another-disk": ("lies in another archive", with_changes(central={"disk": 1})),
    "header-name": ("another name than it states", with_changes(local={"name": b"foo/evil.bin"})),
    "header-flags": ("another flags than it states", with_changes(local={"flags": UTF8})),
    "header-method": ("another method than it states", with_changes(local={"method": STORED})),
    "header-crc": ("another CRC than it states", with_changes(local={"crc": 1})),
    "header-size": ("another size than it states", with_changes(local={"size": 1})),
    "header-packed-size": (
        "another packed size than it states",
        with_changes(local={"packed_size": 1}),
    ),
    "header-sizes-left-out": ("another CRC than it states", with_changes(local={"crc": 0})),
    "duplicate": ("is there twice", with_more(RawEntry(name=_RAW, content=b"other"))),
    "encrypted": ("is encrypted", with_changes(flags=1)),
    "strongly-encrypted": ("flags that are not known", with_changes(flags=0x41)),
    "masked-headers": ("flags that are not known", with_changes(flags=0x2000)),
    "patch-data": ("flags that are not known", with_changes(flags=0x20)),
    **{
        f"method-{method}": (
            "compressed by an unknown method",
            with_changes(method=method, packed=DATA),
        )
        for method in (1, 6, 9, 12, 14, 93, 95, 97, 98, 99)
    },
    **{
        f"version-{version}{where}": (
            "needs a later version of ZIP",
            with_changes(**{part: {"version": version} for part in parts}),
        )
        for version in (46, 50, 51, 61, 63, 0x0314, 0xFFFF)
        for where, parts in (
            ("", ("local", "central")),
            ("-in-header", ("local",)),
            ("-in-directory", ("central",)),
        )
    },
    "crc-zero": (
        "does not have the CRC that it states",
        with_changes(local={"crc": 0}, central={"crc": 0}),
    ),
    "crc-wrong": (
        "does not have the CRC that it states",
        with_changes(local={"crc": 1}, central={"crc": 1}),
    ),
    "crc-wrong-beside-descriptor": (
        "does not have the CRC that it states",
        lambda: changed(lambda e: descriptor(e, crc=1).changed(central={"crc": 1})),
    ),
    "crc-of-stored": (
        "does not have the CRC that it states",
        with_changes(method=STORED, local={"crc": 1}, central={"crc": 1}),
    ),
    "crc-of-metadata": (
        "does not have the CRC that it states",
        lambda: changed(
            lambda e: e.changed(local={"crc": 1}, central={"crc": 1}), f"{INFO}/METADATA"
        ),
    ),
    "crc-of-folder": (
        "is a folder with a content",
        with_more(
            RawEntry(name=b"foo/sub/", method=STORED, mode=0o040755).changed(
                local={"crc": 1}, central={"crc": 1}
            )
        ),
    ),
    "zip64-without-need": ("ZIP64 field", _zip64_in_directory(1024, 1024)),
    "zip64-missing": ("ZIP64 field", with_changes(central={"size": 0xFFFFFFFF})),
    "zip64-too-long": ("ZIP64 field", _zip64_in_directory(1024, 300, size=0xFFFFFFFF)),
    "zip64-other-size": ("another size", _zip64_in_directory(1025, size=0xFFFFFFFF)),
    "zip64-header-other-size": (
        "another size than it states in its ZIP64 field",
        with_changes(local_extra=zip64_field(1, 1)),
    ),
    "zip64-header-of-zeros": (
        "another size than it states in its ZIP64 field",
        with_changes(local_extra=zip64_field(0, 0)),
    ),
    "zip64-header-beside-descriptor": (
        "another size than it states in its ZIP64 field",
        lambda: changed(lambda e: descriptor(e).changed(local_extra=zip64_field(1, 1))),
    ),
    "zip64-header-but-sizes": (
        "another size than it states in its header",
        lambda: changed(lambda e: _with_zip64_header(e, {"size": 1})),
    ),
    "zip64-header-but-packed-size": (
        "another packed size than it states in its header",
        lambda: changed(lambda e: _with_zip64_header(e, {"packed_size": 1})),
    ),
    "zip64-header-short": (
        "ZIP64 field of another length",
        with_changes(local_extra=zip64_field(1024)),
    ),
    "zip64-field-twice": (
        "'foo/data.bin' has the extra field 0x0001 twice",
        with_changes(local_extra=zip64_field(1024, 1024) + zip64_field(1, 1)),
    ),
    "zip64-end-says-otherwise": (
        "say different things",
        ended(Ending(zip64=True, wide={"here": 4, "number": 4})),
    ),
    "zip64-end-elsewhere": ("not where it is said to be", ended(Ending(zip64=True, locator=-8))),
    "zip64-end-with-more": (
        "not where it is said to be",
        ended(Ending(zip64=True, wide_extra=b"hidden!!")),
    ),
    "zip64-end-missing": (
        "ZIP64 fields that are not there",
        ended(Ending(fields={"number": 0xFFFF})),
    ),
    "unicode-path": (
        "another name in its extra fields",
        with_changes(central_extra=unicode_path_field(_RAW, b"foo/evil.py")),
    ),
    "unicode-path-in-header": (
        "another name in its extra fields",
        with_changes(local_extra=unicode_path_field(_RAW, b"foo/evil.py")),
    ),
    "unicode-path-twice": (
        "'foo/data.bin' has the extra field 0x7075 twice",
        with_changes(central_extra=unicode_path_field(_RAW, _RAW) + unicode_path_field(_RAW, b"x")),
    ),
    "extra-field-cut": ("extra fields", with_changes(central_extra=b"\x01\x00\x10\x00abc")),
    "extra-of-three-bytes": ("extra fields", with_changes(local_extra=b"abc")),
    "descriptor-missing": (
        "not followed by its data descriptor",
        with_changes(flags=8, local={"crc": 0, "packed_size": 0, "size": 0}),
    ),
    "descriptor-crc": ("in its data descriptor", lambda: changed(lambda e: descriptor(e, crc=1))),
    "descriptor-size": (
        "in its data descriptor",
        lambda: changed(lambda e: descriptor(e, size=1)),
    ),
    "descriptor-packed-size": (
        "in its data descriptor",
        lambda: changed(lambda e: descriptor(e, wide=True, packed_size=1)),
    ),
    "descriptor-and-more": (
        "in its data descriptor",
        lambda: changed(lambda e: descriptor(e).changed(after=descriptor(e).after + b"more")),
    ),
    "descriptor-of-no-form": (
        "in its data descriptor",
        lambda: changed(lambda e: descriptor(e).changed(after=descriptor(e).after + b"x")),
    ),
    "descriptor-but-sizes": (
        "another size than it states",
        lambda: changed(
            lambda e: descriptor(e).changed(local={"crc": 0, "packed_size": 0, "size": 7})
        ),
    ),
    "inflates-to-more": (
        "another size than it states",
        lambda: changed(
            lambda e: e.changed(content=MODULE, packed=deflate(MODULE + MODULE)), "foo/__init__.py"
        ),
    ),
    "inflates-to-less": (
        "another size than it states",
        lambda: changed(lambda e: e.changed(packed=deflate(MODULE[:9])), "foo/__init__.py"),
    ),
    "inflates-to-noise": ("cannot be inflated", with_changes(packed=b"\xff" * 40)),
    "deflate-without-end": ("another size than it states", with_changes(packed=deflate(DATA)[:-2])),
    "bytes-after-deflate": ("another size than it states", _trailing_bytes_in_packed_content),
    "stored-of-another-size": (
        "another size than it states",
        with_changes(method=STORED, packed=DATA[:9]),
    ),
    "other-content": ("does not have the hash", with_changes(packed=deflate(DATA[::-1]))),
    **{
        f"kind-{name}": ("is not a regular file", with_changes(mode=mode))
        for name, mode in (
            ("symlink", 0o120777),
            ("folder", 0o040755),
            ("pipe", 0o010644),
            ("device", 0o020644),
            ("disk", 0o060644),
            ("socket", 0o140644),
        )
    },
    "setuid": ("is setuid or setgid", with_changes(mode=0o104755)),
    "setgid": ("is setuid or setgid", with_changes(mode=0o102755)),
    "folder-with-content": (
        "is a folder with a content",
        with_more(RawEntry(name=b"foo/sub/", content=b"x", mode=0o040755)),
    ),
    "folder-that-is-a-link": (
        "is not a regular file",
        with_more(RawEntry(name=b"foo/sub/", method=STORED, mode=0o120777)),
    ),
    "folder-outside": (
        "is not a plain relative path",
        with_more(RawEntry(name=b"../out/", method=STORED)),
    ),
    "name-in-no-encoding": (
        "is in no known encoding",
        with_more(RawEntry(name=b"foo/\xff.py", flags=UTF8)),
    ),
    "name-not-marked-utf8": (
        "is in no known encoding",
        with_more(RawEntry(name="foo/é.py".encode())),
    ),
    "name-with-nul": ("must not have", with_more(RawEntry(name=b"foo/x.py\0.txt"))),
    "name-empty": ("is not a plain relative path", with_more(RawEntry(name=b""))),
    "name-of-65535-bytes": ("is longer than", with_more(RawEntry(name=b"a/" * 32767 + b"a"))),
    "name-part-of-256-bytes": ("has a part that is longer", with_more(RawEntry(name=b"a" * 256))),
    **BOMBS,
    **BIG_FILES,
}
"""By name: words of the error, and what makes the wheel."""

INSTALL_ONLY = {
    *("inflates-to-noise", "deflate-without-end", "bytes-after-deflate", "stored-of-another-size"),
    *("inflates-to-more", "inflates-to-less", "other-content"),
    *("crc-zero", "crc-wrong", "crc-wrong-beside-descriptor", "crc-of-stored"),
    *BIG_FILES,
}


def zip_vectors() -> list[WheelVector]:
    """Return the vectors of this module, and controls."""
    return [
        *(
            WheelVector(
                name=f"zip-{name}",
                words=words,
                wheels=lambda make=make: (make(),),  # type: ignore[misc]
                seen_by=("install",) if name in INSTALL_ONLY else ("verify", "install"),
            )
            for name, (words, make) in ZIPS.items()
        ),
        *(
            WheelVector(
                name=f"control-{name}",
                code=0,
                words="",
                wheels=lambda make=make: (make(),),  # type: ignore[misc]
            )
            for name, make in {**ZIP_CONTROLS, **BIG_FILE_CONTROLS}.items()
        ),
    ]
