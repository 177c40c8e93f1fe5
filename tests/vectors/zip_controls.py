"""Wheels whose ZIP archive is unusual and yet good."""

from __future__ import annotations

import struct
from collections.abc import Callable

from support.making.wheels import TinyWheel
from vectors.good_wheel import ended, entries, wheel, with_more
from vectors.raw_zip import (
    STORED,
    Ending,
    RawEntry,
    build,
    descriptor,
    unicode_path_field,
    zip64_field,
)


def _directory_backwards() -> TinyWheel:
    """Return a wheel whose directory lists the files in another order than they lie in."""
    data = build(entries())
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    listed = data[start:end].split(b"PK\x01\x02")[1:]
    directory = b"".join(b"PK\x01\x02" + one for one in listed[::-1])
    return wheel(data[:start] + directory + data[end:])


def _controls() -> dict[str, Callable[[], TinyWheel]]:
    def all_of(change: Callable[[RawEntry], RawEntry]) -> Callable[[], TinyWheel]:
        return lambda: wheel(build([change(entry) for entry in entries()]))

    def wide(entry: RawEntry) -> RawEntry:
        stated = entry.stated()
        sizes = [value for key in ("size", "packed_size") if isinstance(value := stated[key], int)]
        sentinels = {"size": 0xFFFFFFFF, "packed_size": 0xFFFFFFFF}
        field = zip64_field(*sizes)
        return entry.changed(
            local=sentinels, local_extra=field, central=sentinels, central_extra=field
        )

    def wide_header(entry: RawEntry) -> RawEntry:
        return wide(entry).changed(central={}, central_extra=b"")

    def timed(entry: RawEntry) -> RawEntry:
        stamp = struct.pack("<HHBI", 0x5455, 5, 1, 1_600_000_000)
        return entry.changed(local_extra=stamp, central_extra=stamp)

    folders = [RawEntry(name=name, method=STORED, mode=0o040755) for name in (b"foo/", b"bar/")]
    backwards = entries()[::-1]
    return {
        "zip64": all_of(wide),
        "zip64-header": all_of(wide_header),
        "zip64-end": ended(Ending(zip64=True)),
        "zip64-end-alone": ended(
            Ending(zip64=True, fields={"size": 0xFFFFFFFF, "offset": 0xFFFFFFFF})
        ),
        "version-45": all_of(
            lambda entry: entry.changed(local={"version": 45}, central={"version": 45})
        ),
        "version-10": all_of(
            lambda entry: entry.changed(local={"version": 10}, central={"version": 10})
        ),
        "stored": all_of(lambda entry: entry.changed(method=STORED)),
        "timestamps": all_of(timed),
        "unicode-path": all_of(
            lambda e: e.changed(
                local_extra=unicode_path_field(e.name, e.name),
                central_extra=unicode_path_field(e.name, e.name),
            )
        ),
        "zip64-header-beside-descriptor": all_of(
            lambda e: descriptor(e, wide=True).changed(local_extra=zip64_field(0, 0))
        ),
        "folders": with_more(*folders),
        "record-first": lambda: wheel(build(backwards)),
        "directory-backwards": _directory_backwards,
        "without-modes": all_of(lambda entry: entry.changed(mode=0)),
        **{
            f"descriptor{'-signed' * signed}{'-wide' * wide}": all_of(
                lambda e, s=signed, w=wide: descriptor(e, signed=s, wide=w)  # type: ignore[misc]
            )
            for signed in (True, False)
            for wide in (True, False)
        },
    }


ZIP_CONTROLS = _controls()
