"""Wheels that unpack to more than anybody has room for."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

from support.making.wheels import TinyWheel
from vectors.good_wheel import ended, entries, wheel, with_changes
from vectors.raw_zip import Ending, RawEntry, build, zeros_deflated, zip64_field


def _bomb(mebibytes: int, files: int = 1) -> TinyWheel:
    packed = zeros_deflated(mebibytes)
    more = [
        RawEntry(name=b"foo/%d.bin" % number, packed=packed, size=mebibytes * 2**20)
        for number in range(files)
    ]
    return wheel(build([*entries(), *more]))


def _many_files(number: int) -> TinyWheel:
    header = struct.Struct("<4s5H3I2H6s")
    central = struct.Struct("<4s6H3I5H2I6s")
    names = [b"%06d" % count for count in range(number)]
    files = b"".join(
        header.pack(b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 6, 0, name) for name in names
    )
    directory = b"".join(
        central.pack(b"PK\x01\x02", 20, 20, *[0] * 7, 6, *[0] * 5, at * header.size, name)
        for at, name in enumerate(names)
    )
    wide = {"here": number, "number": number, "size": len(directory), "offset": len(files)}
    ending = Ending(zip64=True, wide=wide, fields={"here": 0xFFFF, "number": 0xFFFF})
    end = build(
        [], replace(ending, fields={**wide, **ending.fields}, locator=len(files + directory))
    )
    return wheel(files + directory + end)


BOMBS: dict[str, tuple[str, Callable[[], TinyWheel]]] = {
    "bomb-by-ratio": ("times its size", lambda: _bomb(1024)),
    "bomb-by-total": ("times its size", lambda: _bomb(1, 1000)),
    "bomb-beyond-63-bits": (
        "another size than it states",
        with_changes(central={"size": 0xFFFFFFFF}, central_extra=zip64_field(2**63)),
    ),
    "bomb-by-count": ("it holds more than", lambda: _many_files(200_001)),
    "bomb-by-stated-count": (
        "it holds more than",
        ended(
            Ending(
                zip64=True,
                fields={"here": 0xFFFF, "number": 0xFFFF},
                wide={"here": 2**40, "number": 2**40},
            )
        ),
    ),
}
"""By name: words of the error, and what makes the wheel."""
