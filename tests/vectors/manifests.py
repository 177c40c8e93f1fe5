"""Bundles whose manifest is hostile. All are signed by somebody whom the host trusts."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any

from support.making.archives import join_plain
from support.making.bundles import make_manifest
from support.making.wheels import make_wheel
from vectors.good_bundle import alice, host, hostile_bundle, manifest, plain_frames
from vectors.vector import Vector
from wheelferry_bundler.read.targets import PythonVersion, make_target
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import serialize
from wheelferry_schemas.models import canonical_json

_UPGRADE = "this wheelferry reads up to 1"
_INVALID = "manifest.json is not valid"
_NOT_JSON = "manifest.json is not JSON"
_DEEP = _NOT_JSON if sys.version_info < (3, 14) else _INVALID
"""Python 3.14 reads as deep as the stack is, and refuses what it finds."""
_NOT_CANONICAL = "manifest.json is not in canonical form"


def _framed(data: bytes) -> bytes:
    """Return a bundle with this manifest, signed."""
    frames = plain_frames(data)
    # A manifest of several frames is cut as the format asks for.
    whole = frames[0]
    cut = [whole[at : at + layout.FRAME_SIZE] for at in range(0, len(whole), layout.FRAME_SIZE)]
    return join_plain([*cut, *frames[1:]])


def _changed(path: str, value: object) -> Callable[[], bytes]:
    """Return a canonical manifest with one value replaced, or added."""

    def make() -> bytes:
        read: Any = json.loads(manifest())
        *steps, last = path.split(".")
        found = read
        for step in steps:
            found = found[int(step) if step.isdigit() else step]
        found[int(last) if last.isdigit() else last] = value
        return canonical_json(read)

    return make


def _without(field: str) -> Callable[[], bytes]:
    def make() -> bytes:
        read = json.loads(manifest())
        del read[field]
        return canonical_json(read)

    return make


def _text(old: str, new: str) -> Callable[[], bytes]:
    """Return the manifest's text with something replaced."""

    def make() -> bytes:
        text = manifest().decode()
        assert old in text
        return text.replace(old, new, 1).encode("utf-8", "surrogatepass")

    return make


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: change(manifest())


def _respelled(**options: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        return f"{json.dumps(json.loads(manifest()), **options)}\n".encode()

    return make


def _packages(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[], bytes]:
    """Return a canonical manifest whose packages were changed."""

    def make() -> bytes:
        read = json.loads(manifest())
        change(read["packages"])
        return canonical_json(read)

    return make


def _second_version(packages: list[dict[str, Any]]) -> None:
    packages.insert(1, {**packages[0], "version": "2.0", "wheel": "other-2.0-py3-none-any.whl"})


@functools.cache
def _for_another_target() -> bytes:
    """Return the manifest of a bundle for Windows with a wheel for Linux in it."""
    linux = make_target(parse_platform("manylinux_2_28_x86_64"), PythonVersion(minor=12))
    windows = make_target(parse_platform("win_amd64"), PythonVersion(minor=12))
    wheel = make_wheel("fast", tag="cp312-cp312-manylinux_2_28_x86_64", pure=False)
    data = serialize(make_manifest([wheel], [linux]))
    read = json.loads(data)
    read["targets"] = json.loads(serialize(make_manifest([], [windows])))["targets"]
    read["packages"][0]["targets"] = [windows.id]
    return canonical_json(read)


def _flood(item: str) -> Callable[[], bytes]:
    """Return 16 MiB of JSON that says nothing."""

    def make() -> bytes:
        return f'{{"format":1,"packages":[{item * ((2**24 - 100) // len(item))}0]}}'.encode()

    return make


def _unsorted() -> bytes:
    backwards = dict(reversed(json.loads(manifest()).items()))
    return f"{json.dumps(backwards, indent=2)}\n".encode()


FORMATS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "2": (_UPGRADE, _changed("format", 2)),
    "99-with-other-fields": (_UPGRADE, lambda: b'{"format": 99, "contents": []}\n'),
    "of-30-digits": (_UPGRADE, _changed("format", 10**30)),
    "0": (_INVALID, _changed("format", 0)),
    "negative": (_INVALID, _changed("format", -1)),
    "text": (_INVALID, _changed("format", "1")),
    "truth": (_INVALID, _text('"format": 1', '"format": true')),
    "fraction": (_INVALID, _changed("format", 1.0)),
    "null": (_INVALID, _changed("format", None)),
    "absent": (_INVALID, _without("format")),
}
JSON: dict[str, tuple[str, Callable[[], bytes]]] = {
    "half": (_NOT_JSON, _bytes(lambda data: data[: len(data) // 2])),
    "byte-order-mark": (_NOT_JSON, _bytes(lambda data: b"\xef\xbb\xbf" + data)),
    "utf-16": (_NOT_JSON, _bytes(lambda data: data.decode().encode("utf-16"))),
    "not-utf-8": (_NOT_JSON, _bytes(lambda data: data.replace(b"tests", b"t\xffsts", 1))),
    "overlong-utf-8": (_NOT_JSON, _bytes(lambda data: data.replace(b"tests", b"t\xc0\xafs", 1))),
    "surrogate": (_NOT_JSON, _text("tests", "\ud800")),
    "escaped-surrogate": (_NOT_JSON, _text("tests", "\\ud800")),
    "raw-control": (_NOT_JSON, _text("tests", "t\nsts")),
    "nan": (_NOT_JSON, _text('"format": 1', '"format": NaN')),
    "infinity": (_NOT_JSON, _text('"format": 1', '"format": -Infinity')),
    "1e400": (_INVALID, _text('"format": 1', '"format": 1e400')),
    "5000-digits": (_INVALID, _text('"size": ', f'"size": {"1" * 5000}')),
    "leading-zero": (_NOT_JSON, _text('"size": ', '"size": 0')),
    "hexadecimal": (_NOT_JSON, _text('"format": 1', '"format": 0x1')),
    "single-quotes": (_NOT_JSON, _text('"format"', "'format'")),
    "comment": (_NOT_JSON, _bytes(lambda data: b"// made by hand\n" + data)),
    "trailing-comma": (_NOT_JSON, _bytes(lambda data: data[:-3] + b",\n}\n")),
    "depth": (_INVALID, lambda: b"[" * 100_000 + b"]" * 100_000),
    "depth-in-a-field": (_DEEP, lambda: b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "depth-of-objects": (_DEEP, lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "depth-below-the-limit": (_INVALID, lambda: b"[" * 1000 + b"]" * 1000),
    "two-documents": (_NOT_JSON, _bytes(lambda data: data * 2)),
    "nul-after-it": (_NOT_JSON, _bytes(lambda data: data + b"\0")),
    "list": (_INVALID, lambda: b"[]\n"),
    "text": (_INVALID, lambda: b'"manifest"\n'),
    "null": (_INVALID, lambda: b"null\n"),
    "space": (_NOT_JSON, lambda: b" \n"),
    "many-lists": ("holds more than", _flood("[],")),
    "many-objects": ("holds more than", _flood("{},")),
    "many-numbers": ("holds more than", _flood("0,")),
    "many-fields": (
        "contains unknown field `field0`",
        lambda: canonical_json({f"field{number}": 0 for number in range(100_000)}),
    ),
    "long-text": (_INVALID, _text("tests", "t" * (2**24 - 10_000))),
}
CANONICAL: dict[str, tuple[str, Callable[[], bytes]]] = {
    "duplicate-field": (
        _NOT_CANONICAL,
        _text('  "format": 1,', '  "format": 1,\n  "format": 1,'),
    ),
    "duplicate-field-first-evil": (
        _NOT_CANONICAL,
        _text('  "name": "demo",', '  "name": "evil",\n  "name": "demo",'),
    ),
    "duplicate-field-inside": (
        _NOT_CANONICAL,
        _text('      "size":', '      "size": 1,\n      "size":'),
    ),
    "indented-by-four": (_NOT_CANONICAL, _respelled(indent=4, sort_keys=True)),
    "compact": (_NOT_CANONICAL, _respelled(sort_keys=True, separators=(",", ":"))),
    "unsorted": (_NOT_CANONICAL, _unsorted),
    "escaped-letter": (_NOT_CANONICAL, _text('"demo"', '"d\\u0065mo"')),
    "escaped-slash": (_NOT_CANONICAL, _text("https://", "https:\\/\\/")),
    "carriage-returns": (_NOT_CANONICAL, _bytes(lambda data: data.replace(b"\n", b"\r\n"))),
    "no-line-break-at-end": (_NOT_CANONICAL, _bytes(bytes.rstrip)),
    "two-line-breaks-at-end": (_NOT_CANONICAL, _bytes(lambda data: data + b"\n")),
    "space-at-start": (_NOT_CANONICAL, _bytes(lambda data: b" " + data)),
    "space-at-line-end": (_NOT_CANONICAL, _text('"format": 1,', '"format": 1, ')),
    "tab": (_NOT_CANONICAL, _text('  "format"', '\t"format"')),
}
VALUES: dict[str, tuple[str, str, object]] = {
    "unknown-field": ("unknown field `unknown`", "unknown", 1),
    "unknown-field-inside": ("packages[0].source: Object", "packages.0.source.unknown", 1),
    "name-outside": ("name: ", "name", "../demo"),
    "name-with-escape": ("name: ", "name", "demo\x1b[2J"),
    "name-with-line-break": ("name: ", "name", "demo\n"),
    "created-in-letters": ("created: ", "created", "yesterday"),
    "created-on-february-30": ("not a time", "created", "2023-02-30T00:00:00Z"),
    "created-in-arabic-digits": ("created: ", "created", "٢٠٢٣-01-01T00:00:00Z"),
    "created-before-1970": ("manifest.json: its header", "created", "1969-12-31T23:59:59Z"),
    "created-in-9999": ("manifest.json: its header", "created", "9999-12-31T23:59:59Z"),
    "no-target": ("targets: ", "targets", []),
    "target-outside": ("targets[0].id: ", "targets.0.id", "../x"),
    "platform-with-escape": ("targets[0].platforms[0]: ", "targets.0.platforms.0", "\x1b[2J"),
    "specifier": ("not a version specifier", "targets.0.requires_python", "import os"),
    "size-negative": ("packages[0].size: ", "packages.0.size", -1),
    "size-of-8-gib": ("packages[0].size: ", "packages.0.size", 2**33),
    "size-beyond-64-bits": ("packages[0].size: ", "packages.0.size", 2**64),
    "size-as-truth": ("packages[0].size: ", "packages.0.size", True),
    "size-as-text": ("packages[0].size: ", "packages.0.size", "1"),
    "size-other": ("members of the bundle are not those", "packages.0.size", 1),
    "hash-in-capitals": ("packages[0].sha256: ", "packages.0.sha256", "A" * 64),
    "hash-short": ("packages[0].sha256: ", "packages.0.sha256", "a" * 63),
    "hash-with-line-break": ("packages[0].sha256: ", "packages.0.sha256", "a" * 64 + "\n"),
    "hash-other": ("its hash is not the one", "packages.0.sha256", "a" * 64),
    "wheel-outside": ("not a wheel file name", "packages.0.wheel", "../other-1.0-py3-none-any.whl"),
    "wheel-absolute": ("not a wheel file name", "packages.0.wheel", "/other-1.0-py3-none-any.whl"),
    "wheel-with-escape": (
        "not a wheel file name",
        "packages.0.wheel",
        "o\x1b[2J-1.0-py3-none-any.whl",
    ),
    "wheel-with-nul": ("not a wheel file name", "packages.0.wheel", "other-1.0-py3-none-any.whl\0"),
    "wheel-of-another-kind": ("not a wheel file name", "packages.0.wheel", "other-1.0.tar.gz"),
    "wheel-of-300-letters": (
        "packages[0].wheel: ",
        "packages.0.wheel",
        "o" * 300 + "-1.0-py3-none-any.whl",
    ),
    "wheel-of-another-name": ("is not one of", "packages.0.wheel", "nother-1.0-py3-none-any.whl"),
    "wheel-of-another-version": ("is not of version", "packages.0.version", "2.0"),
    "version-none": ("not a version", "packages.0.version", "latest"),
    "target-unknown": ("is for an unknown target", "packages.0.targets", ["unknown"]),
    "targets-none": ("packages[0].targets: ", "packages.0.targets", []),
    "source-unknown": ("packages[0].source.kind: ", "packages.0.source.kind", "magic"),
    "commit-with-option": (
        "packages[0].source.commit: ",
        "packages.0.source.commit",
        "--upload-pack",
    ),
    "document-outside": ("not a document of a bundle", "documents.0.name", "../requirements.txt"),
    "document-hidden": ("not a document of a bundle", "documents.0.name", ".bashrc"),
    "document-among-wheels": ("not a document of a bundle", "documents.0.name", "wheels/x.whl"),
    "document-as-signature": ("not a document of a bundle", "documents.0.name", "signatures/1.sig"),
    "document-as-manifest": ("not a document of a bundle", "documents.0.name", "manifest.json"),
    "roots-unsorted": ("roots are not sorted", "roots", ["pure", "other"]),
    "root-twice": ("root 'pure' twice", "roots", ["pure", "pure"]),
}
PACKAGES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "two-of-one-name": ("two packages 'other' for target", _packages(_second_version)),
    "wheel-twice": ("twice", _packages(lambda packages: packages.insert(0, packages[0]))),
    "unsorted": ("wheels are not sorted", _packages(list.reverse)),
    "wheel-of-other-tags": ("does not fit", _for_another_target),
    "one-left-out": ("members of the bundle are not those", _packages(list.pop)),
    "none": ("members of the bundle are not those", _packages(list.clear)),
}


def _expired() -> dict[str, bytes]:
    return host(_framed(_changed("expires", "2023-11-15T00:00:00Z")()))


def _re_indented() -> dict[str, bytes]:
    """Return a bundle whose manifest says the same as the one that was signed."""
    data = _respelled(indent=4, sort_keys=True)()
    return host(join_plain(plain_frames(data, [alice().sign(manifest())])))


def _by_one_byte() -> dict[str, bytes]:
    data = _text('"name": "demo"', '"name": "dema"')()
    return host(join_plain(plain_frames(data, [alice().sign(manifest())])))


def manifest_vectors() -> list[Vector]:
    """Return the vectors of this module."""
    made = {name: (words, _changed(path, value)) for name, (words, path, value) in VALUES.items()}
    return [
        *(
            hostile_bundle(f"{family}-{name}", words, lambda make=make: _framed(make()))  # type: ignore[misc]
            for family, vectors in (
                ("version", FORMATS),
                ("json", JSON),
                ("canonical", CANONICAL),
                ("value", made),
                ("packages", PACKAGES),
            )
            for name, (words, make) in vectors.items()
        ),
        Vector(name="expired", code=6, words="the bundle expired at 2023-11-15", files=_expired),
        Vector(
            name="changed-by-one-byte",
            code=3,
            words="has no signature from a signer listed in",
            files=_by_one_byte,
        ),
        Vector(
            name="re-indented",
            code=3,
            words="has no signature from a signer listed in",
            files=_re_indented,
        ),
    ]
