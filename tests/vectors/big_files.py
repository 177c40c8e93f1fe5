"""Wheels with a file so large that it is inflated piece by piece: other code, the same rules."""

from __future__ import annotations

import functools
from collections.abc import Callable

from support.making.wheels import TinyWheel
from vectors.good_wheel import entries, wheel
from vectors.raw_zip import STORED, RawEntry, build, deflate

_NAME = "foo/big.bin"
_SIZE = 16 * 2**20
_OTHER_SIZE = "'foo/big.bin' has another size than it states"


@functools.cache
def _content() -> bytes:
    return bytes(_SIZE)


@functools.cache
def _packed() -> bytes:
    return deflate(_content())


def _big(change: Callable[[RawEntry], RawEntry]) -> Callable[[], TinyWheel]:
    """Return what makes a good wheel but for the large file in it."""

    def make() -> TinyWheel:
        all_entries = entries({_NAME: _content()})
        return wheel(build([change(e) if e.name == _NAME.encode() else e for e in all_entries]))

    return make


def _deflated(packed: Callable[[], bytes]) -> Callable[[], TinyWheel]:
    return _big(lambda entry: entry.changed(packed=packed()))


def _stored(content: Callable[[], bytes]) -> Callable[[], TinyWheel]:
    return _big(lambda entry: entry.changed(method=STORED, packed=content()))


BIG_FILES: dict[str, tuple[str, Callable[[], TinyWheel]]] = {
    "big-other-content": (
        "'foo/big.bin' does not have the hash",
        _deflated(lambda: deflate(b"x" + _content()[1:])),
    ),
    "big-stored-other-content": (
        "'foo/big.bin' does not have the hash",
        _stored(lambda: b"x" + _content()[1:]),
    ),
    "big-crc": (
        "'foo/big.bin' does not have the CRC",
        _big(lambda entry: entry.changed(packed=_packed(), local={"crc": 0}, central={"crc": 0})),
    ),
    "big-inflates-to-more": (_OTHER_SIZE, _deflated(lambda: deflate(_content() + b"x"))),
    "big-inflates-to-less": (_OTHER_SIZE, _deflated(lambda: deflate(_content()[1:]))),
    "big-bytes-after-deflate": (_OTHER_SIZE, _deflated(lambda: _packed() + b"hidden")),
    "big-deflate-without-end": (_OTHER_SIZE, _deflated(lambda: _packed()[:-2])),
    "big-inflates-to-noise": (
        "'foo/big.bin' cannot be inflated",
        _deflated(lambda: b"\xff" * 40),
    ),
    "big-stored-shorter": (_OTHER_SIZE, _stored(lambda: _content()[:9])),
    "big-stored-longer": (_OTHER_SIZE, _stored(lambda: _content() + b"x")),
}
"""By name: words of the error, and what makes the wheel."""

BIG_FILE_CONTROLS: dict[str, Callable[[], TinyWheel]] = {
    "big-file": _deflated(_packed),
    "big-stored-file": _stored(_content),
}
