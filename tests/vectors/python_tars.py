"""Archives of Python that are hostile: headers that two programs read differently, names, links."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable

import zstandard

from support.making.archives import join_plain, member
from support.making.bundles import host_target, make_manifest
from vectors.good_bundle import REQUIREMENTS, alice, host, plain_frames, wheels
from vectors.raw_tar import (
    BLOCK,
    END,
    GNU,
    entry,
    folder,
    header,
    link,
    long_name,
    padded,
    pax,
    record,
)
from vectors.vector import Vector
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import PythonArchive, serialize

INTERPRETER = entry(b"bin/python3", b"#!/bin/sh\n", mode=b"0000755")
_EVIL = entry(b"../evil", b"x")
_LONG = b"lib/" + b"d" * 90 + b"/" + b"f" * 90
_BASE_256 = b"\x80" + bytes(10) + b"\x01"
_KIND = "is neither a file, nor a folder, nor a symbolic link"
_OCTAL = "is no plain octal number"
_PLAIN = "is not a plain relative path"
_CUT = "it is cut short"
_AFTER = "data follows its end"
_INSIDE = "links outside, or not directly"

HEADERS: dict[str, tuple[str, bytes]] = {
    "checksum-off-by-one": ("the checksum of", header(b"lib/a", checksum=b"000001\0 ")),
    "checksum-empty": (_OCTAL, header(b"lib/a", checksum=bytes(8))),
    "checksum-with-sign": (_OCTAL, header(b"lib/a", checksum=b"-07777\0 ")),
    "magic-of-v7": ("neither a POSIX nor a GNU", header(b"lib/a", magic=bytes(8))),
    "magic-of-both": ("neither a POSIX nor a GNU", header(b"lib/a", magic=b"ustar\0 \0")),
    "magic-of-star": ("unknown data in its header", header(b"lib/a", rest=bytes(8) + b"tar")),
    "gnu-times-in-prefix": (
        "unknown data in its header",
        header(b"lib/a", magic=GNU, prefix=b"14000000000"),
    ),
    "gnu-sparse-in-prefix": (
        "unknown data in its header",
        header(b"lib/a", magic=GNU, prefix=bytes(41) + b"00000000001"),
    ),
    "size-in-base-256": (_OCTAL, header(b"lib/a", size=_BASE_256) + padded(b"x")),
    "size-negative": (_OCTAL, header(b"lib/a", size=b"\xff" * 12)),
    "size-with-sign": (_OCTAL, header(b"lib/a", size=b"-0000000001")),
    "size-with-eight": (_OCTAL, header(b"lib/a", size=b"00000000008")),
    "size-with-spaces-before": (_OCTAL, header(b"lib/a", size=b"          1") + padded(b"x")),
    "size-with-zeros-inside": (_OCTAL, header(b"lib/a", size=b"0\x00000000001")),
    "size-with-prefix": (_OCTAL, header(b"lib/a", size=b"0o000000001")),
    "size-empty": (_OCTAL, header(b"lib/a", size=bytes(12))),
    "size-beyond-the-end": (_CUT, header(b"lib/a", 2**20)),
    "size-of-8-gib": ("unpacks to more than", header(b"lib/a", size=b"777777777777")),
    "time-in-base-256": (_OCTAL, header(b"lib/a", time=_BASE_256)),
    "time-negative": (_OCTAL, header(b"lib/a", time=b"-0000000001")),
    "time-of-twelve-digits": ("has an invalid time", header(b"lib/a", time=b"777777777777")),
    "mode-in-base-256": (_OCTAL, header(b"lib/a", mode=b"\x80\0\0\0\0\0\1\xed")),
    "mode-setuid": ("mode bits beyond", header(b"lib/a", mode=b"0004755")),
    "mode-setgid": ("mode bits beyond", header(b"lib/a", mode=b"0002755")),
    "mode-sticky": ("mode bits beyond", header(b"lib/a", mode=b"0001755")),
    "mode-setuid-beside-the-root": (
        "mode bits beyond",
        header(b"other/a", mode=b"0004755"),
    ),
    "mode-of-a-kind": ("mode bits beyond", header(b"lib/a", mode=b"0120777")),
    "owner-of-letters": (_OCTAL, header(b"lib/a", uid=b"root")),
    "owner-negative": (_OCTAL, header(b"lib/a", gid=b"\xff" * 8)),
    "device-number": ("has a device number", header(b"lib/a", minor=b"0000001")),
    "user-not-utf8": ("is not UTF-8", header(b"lib/a", user=b"\xff")),
    "user-with-more": ("zeros in a text", header(b"lib/a", user=b"root\0hidden")),
}
TYPES: dict[str, tuple[str, bytes]] = {
    **{
        f"type-{name}": (_KIND, header(b"lib/a", type=kind, link=target))
        for name, kind, target in (
            ("old-regular", b"\0", b""),
            ("hard-link", b"1", b"bin/python3"),
            ("hard-link-outside", b"1", b"/etc/passwd"),
            ("character-device", b"3", b""),
            ("block-device", b"4", b""),
            ("pipe", b"6", b""),
            ("contiguous", b"7", b""),
            ("global-pax", b"g", b""),
            ("solaris-pax", b"X", b""),
            ("gnu-folder-dump", b"D", b""),
            ("gnu-continued", b"M", b""),
            ("gnu-old-names", b"N", b""),
            ("gnu-sparse", b"S", b""),
            ("gnu-volume", b"V", b""),
            ("solaris-acl", b"A", b""),
            ("unknown", b"Z", b""),
            ("not-ascii", b"\xff", b""),
        )
    },
    "old-folder": (_KIND, header(b"lib/a/", type=b"\0")),
    "file-with-a-slash": (_PLAIN, header(b"lib/a/")),
    "file-with-a-target": ("target, or lacks one, against", header(b"lib/a", link=b"../bin/x")),
    "folder-with-a-target": ("target, or lacks one, against", folder(b"lib/", link=b"../bin")),
    "link-without-target": ("target, or lacks one, against", link(b"lib/a", b"")),
    "link-with-content": (
        "content, which its type does not allow",
        link(b"lib/a", b"b", size=b"%011o" % BLOCK) + _EVIL[:BLOCK],
    ),
    "folder-with-content": (
        "content, which its type does not allow",
        folder(b"lib/", size=b"%011o" % BLOCK) + _EVIL[:BLOCK],
    ),
    "device-with-content": (
        _KIND,
        header(b"lib/a", type=b"3", size=b"%011o" % BLOCK) + _EVIL[:BLOCK],
    ),
    "hard-link-with-content": (
        _KIND,
        header(b"lib/a", type=b"1", link=b"bin/python3", size=b"%011o" % BLOCK) + _EVIL[:BLOCK],
    ),
}
EXTENDED: dict[str, tuple[str, bytes]] = {
    "global-path": (
        _KIND,
        entry(b"pax_global_header", record(b"path", b"lib/b"), type=b"g") + entry(b"lib/a"),
    ),
    "global-comment": (
        _KIND,
        entry(b"pax_global_header", record(b"comment", b"x"), type=b"g") + entry(b"lib/a"),
    ),
    "path-but-another-name": (
        "'lib/b' has another name in its header",
        pax(record(b"path", b"lib/b")) + entry(b"lib/a"),
    ),
    "path-but-outside-in-header": (
        "has another name in its header",
        pax(record(b"path", _LONG)) + entry(b"../evil"),
    ),
    "path-but-absolute-in-header": (
        "has another name in its header",
        pax(record(b"path", _LONG)) + entry(b"/evil"),
    ),
    "path-outside": (_PLAIN, pax(record(b"path", b"../" + _LONG)) + entry(b"lib/a")),
    "path-twice": (
        "a pax header states 'path' twice",
        pax(record(b"path", _LONG), record(b"path", _LONG + b"2")) + entry(_LONG[:100]),
    ),
    "path-empty": ("a pax header states a path", pax(record(b"path", b"")) + entry(b"lib/a")),
    "path-with-nul": (
        "a pax header states a path",
        pax(record(b"path", _LONG + b"\0.txt")) + entry(_LONG[:100]),
    ),
    "path-not-utf8": ("is not UTF-8", pax(record(b"path", b"lib/\xff")) + entry(b"lib/?")),
    "linkpath-but-another-target": (
        "has another name in its header",
        pax(record(b"linkpath", b"b")) + link(b"lib/a", b"c"),
    ),
    "linkpath-of-a-file": (
        "target, or lacks one, against",
        pax(record(b"linkpath", b"k" * 120)) + entry(b"lib/a"),
    ),
    "linkpath-outside": (
        _INSIDE,
        pax(record(b"linkpath", b"/" + b"k" * 120)) + link(b"lib/a", b"k"),
    ),
    "size-but-another": ("has two sizes", pax(record(b"size", b"0")) + entry(b"lib/a", b"x")),
    "size-hides-a-header": (
        "has two sizes",
        pax(record(b"size", b"%d" % BLOCK)) + header(b"lib/a") + _EVIL[:BLOCK],
    ),
    "size-negative": ("states a size", pax(record(b"size", b"-1")) + entry(b"lib/a")),
    "time-infinite": ("states a mtime", pax(record(b"mtime", b"1e400")) + entry(b"lib/a")),
    "time-not-a-number": ("states a mtime", pax(record(b"mtime", b"nan")) + entry(b"lib/a")),
    "time-negative": ("states a mtime", pax(record(b"mtime", b"-1")) + entry(b"lib/a")),
    "owner-of-letters": ("states a uid", pax(record(b"uid", b"root")) + entry(b"lib/a")),
    **{
        f"key-{key.replace('.', '-').lower()}": (
            f"a pax header states {key!r}, which is not known",
            pax(record(key.encode(), value)) + entry(b"lib/a"),
        )
        for key, value in (
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.name", b"../evil"),
            ("GNU.sparse.size", b"x"),
            ("GNU.sparse.realsize", b"1"),
            ("GNU.dumpdir", b"x"),
            ("SCHILY.realsize", b"1"),
            ("SCHILY.filetype", b"1"),
            ("hdrcharset", b"BINARY"),
            ("charset", b"BINARY"),
            ("Path", b"lib/b"),
            ("comment", b"x"),
        )
    },
    "record-without-newline": (
        "a pax header cannot be read",
        pax(b"15 path=lib/bcd") + entry(b"lib/a"),
    ),
    "record-too-long": ("a pax header cannot be read", pax(b"99 path=lib/b\n") + entry(b"lib/a")),
    "record-too-short": ("a pax header cannot be read", pax(b"9 path=lib/b\n") + entry(b"lib/a")),
    "record-of-nothing": ("a pax header cannot be read", pax(b"0 path=lib/b\n") + entry(b"lib/a")),
    "record-with-zero-before": (
        "a pax header cannot be read",
        pax(b"015 path=lib/b\n") + entry(b"lib/a"),
    ),
    "record-with-sign": ("a pax header cannot be read", pax(b"+14 path=lib/\n") + entry(b"lib/a")),
    "record-without-key": ("a pax header cannot be read", pax(b"6 =xx\n") + entry(b"lib/a")),
    "record-without-value": ("a pax header cannot be read", pax(b"7 path\n") + entry(b"lib/a")),
    "zeros-after-records": (
        "a pax header cannot be read",
        pax(record(b"uname", b"x"), bytes(9)) + entry(b"lib/a"),
    ),
    "user-not-utf8": ("is not UTF-8", pax(record(b"uname", b"\xff")) + entry(b"lib/a")),
    "key-not-utf8": ("is not UTF-8", pax(record(b"\xff", b"x")) + entry(b"lib/a")),
    "two-pax-headers": (
        "a name is stated in several ways",
        pax(record(b"path", _LONG)) + pax(record(b"path", _LONG)) + entry(_LONG[:100]),
    ),
    "pax-and-long-name": (
        "a name is stated in several ways",
        pax(record(b"path", _LONG)) + long_name(_LONG) + entry(_LONG[:100]),
    ),
    "long-name-and-pax": (
        "a name is stated in several ways",
        long_name(_LONG) + pax(record(b"mtime", b"1")) + entry(_LONG[:100]),
    ),
    "two-long-names": (
        "a name is stated in several ways",
        long_name(_LONG) + long_name(_LONG) + entry(_LONG[:100]),
    ),
    "long-name-but-another": (
        "has another name in its header",
        long_name(_LONG) + entry(b"x" * 100),
    ),
    "long-name-that-is-short": (
        "has another name in its header",
        long_name(b"lib/b") + entry(b"lib/a"),
    ),
    "long-name-outside": (
        "has another name in its header",
        long_name(b"../" + _LONG) + entry((b"../" + _LONG)[:100]),
    ),
    "long-name-with-nul": (
        "is not a long name",
        long_name(_LONG + b"\0hidden") + entry(_LONG[:100]),
    ),
    "long-name-without-nul": (
        "is not a long name",
        entry(b"././@LongLink", _LONG, type=b"L", magic=GNU) + entry(_LONG[:100]),
    ),
    "long-name-beside-prefix": (
        "has another name in its header",
        long_name(_LONG) + entry(_LONG[:100], prefix=b"evil"),
    ),
    "long-target-of-a-file": (
        "target, or lacks one, against",
        long_name(b"k" * 120, b"K") + entry(b"lib/a"),
    ),
    "long-target-outside": (
        _INSIDE,
        long_name(b"/" + b"k" * 120, b"K") + link(b"lib/a", b"/" + b"k" * 99),
    ),
    "pax-of-2-mib": ("has an extended header of", pax(record(b"uname", b"x" * 2**21))),
    "long-name-of-64-kib": ("has an extended header of", long_name(b"x" * 2**16)),
    "pax-before-the-end": ("followed by nothing", pax(record(b"path", _LONG))),
    "long-name-before-the-end": ("followed by nothing", long_name(_LONG)),
}
NAMES: dict[str, tuple[str, bytes]] = {
    **{
        f"{kind}-{name}": (words, make(path))
        for kind, make in (("file", entry), ("folder", lambda path: folder(path + b"/")))
        for name, path, words in (
            ("parent", b"../evil", _PLAIN),
            ("parent-inside", b"lib/../../evil", _PLAIN),
            ("absolute", b"/evil", "is an absolute path"),
            ("absolute-twice", b"//evil", "is an absolute path"),
            ("current-inside", b"lib/./a", _PLAIN),
            ("current-twice", b"././a", _PLAIN),
            ("empty-part", b"lib//a", _PLAIN),
            ("backslash", b"lib\\a", "must not have"),
            ("drive", b"C:evil", "must not have"),
            ("newline", b"lib/a\nb", "must not have"),
            ("escape", b"lib/\x1b[2J", "must not have"),
        )
    },
    "of-nul-inside": ("zeros in a text", header(b"lib/a\0b")),
    "empty": ("an entry has no name", header(b"")),
    "empty-of-a-folder": ("an entry has no name", folder(b"")),
    "current": (_PLAIN, header(b".")),
    "root": ("is an absolute path", folder(b"/")),
    "not-utf8": ("is not UTF-8", entry(b"lib/\xff")),
    "prefix-outside": (_PLAIN, header(b"a", prefix=b"../evil")),
    "prefix-absolute": ("is an absolute path", header(b"a", prefix=b"/etc")),
    "prefix-with-slash": (_PLAIN, header(b"a", prefix=b"lib/")),
    "part-of-256-bytes": (
        "has a part that is longer",
        pax(record(b"path", b"lib/" + b"a" * 256)) + header(b"lib/a"),
    ),
    "of-1001-characters": (
        "is longer than 1000",
        pax(record(b"path", b"a/" * 500 + b"a")) + header(b"a"),
    ),
    "twice": ("is there twice", entry(b"lib/a", b"1") + entry(b"lib/a", b"2")),
    "twice-with-and-without-current": ("is there twice", entry(b"lib/a") + entry(b"./lib/a")),
    "twice-by-prefix": ("is there twice", entry(b"lib/a") + entry(b"a", prefix=b"lib")),
    "twice-beside-the-root": ("is there twice", entry(b"x/a", b"1") + entry(b"x/a", b"2")),
    "file-then-link": ("is there twice", entry(b"lib/a") + link(b"lib/a", b"../../etc")),
    "folder-then-link": ("is there twice", folder(b"lib/a/") + link(b"lib/a", b"b")),
    "two-forms": (
        "are one file on some file systems",
        entry("lib/\xe9.py".encode()) + entry("lib/e\u0301.py".encode()),
    ),
    "two-forms-of-a-folder": (
        "are one file on some file systems",
        entry("lib/\xe9/a".encode()) + entry("lib/e\u0301/b".encode()),
    ),
}
LINKS: dict[str, tuple[str, bytes]] = {
    **{
        f"link-{name}": (_INSIDE, link(b"lib/a", target))
        for name, target in (
            ("absolute", b"/etc/passwd"),
            ("outside", b"../../evil"),
            ("far-outside", b"../../../../../../etc/passwd"),
            ("up-after-a-name", b"x/../../evil"),
            ("current", b"./a"),
            ("empty-part", b"x//y"),
            ("backslash", b"..\\..\\evil"),
            ("drive", b"C:/evil"),
        )
    },
    "link-outside-beside-the-root": (
        _INSIDE,
        entry(b"python/bin/python3", b"x") + link(b"other", b"../evil"),
    ),
    "link-to-itself": ("leads to itself", link(b"lib/a", b"a")),
    "links-in-a-circle": ("leads to itself", link(b"lib/a", b"b") + link(b"lib/b", b"a")),
    "links-above-each-other": (
        "leads to itself",
        link(b"lib/a", b"b/x") + link(b"lib/b", b"a/y"),
    ),
    "below-a-link": ("below something that is not a folder", link(b"lib", b"x") + entry(b"lib/a")),
    "below-a-later-link": (
        "below something that is not a folder",
        entry(b"lib/a") + link(b"lib", b"x"),
    ),
    "below-a-file": ("below something that is not a folder", entry(b"lib") + entry(b"lib/a")),
    "bin-is-a-link": ("below something that is not a folder", link(b"bin", b"other")),
}
ENDS: dict[str, tuple[str, bytes]] = {
    "no-end": (_CUT, INTERPRETER),
    "one-block-of-zeros": (_CUT, INTERPRETER + bytes(BLOCK)),
    "half-a-block-more": (_CUT, INTERPRETER + END + bytes(BLOCK // 2)),
    "cut-in-a-header": (_CUT, INTERPRETER + header(b"lib/a")[:300]),
    "cut-in-a-content": (_CUT, INTERPRETER + header(b"lib/a", 900) + b"x" * 600),
    "cut-in-a-padding": (_CUT, INTERPRETER + header(b"lib/a", 1) + b"x"),
    "padding": ("is not zeros", INTERPRETER + header(b"lib/a", 1) + b"x".ljust(512, b"y") + END),
    "entry-after-the-end": (_AFTER, INTERPRETER + END + _EVIL + END),
    "entry-after-one-block": (_AFTER, INTERPRETER + bytes(BLOCK) + _EVIL + END),
    "noise-after-the-end": (_AFTER, INTERPRETER + END + b"hidden".ljust(BLOCK)),
    "two-mib-of-zeros": ("its end is longer than", INTERPRETER + bytes(2**21)),
    "empty": (_CUT, b""),
    "end-alone": ("it has no bin/python3", END),
    "noise": ("is no plain octal number", b"noise!!!" * 200),
    "interpreter-is-a-folder": ("it has no bin/python3", folder(b"bin/python3/") + END),
}


def _gzip(tar: bytes) -> bytes:
    return gzip.compress(tar, 1, mtime=0)


def _skippable(content: bytes) -> bytes:
    return struct.pack("<II", 0x184D2A50, len(content)) + content


_GOOD = INTERPRETER + END
COMPRESSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "gzip-then-noise": (_AFTER, lambda: _gzip(_GOOD) + b"hidden", "gz"),
    "gzip-then-a-byte": (_AFTER, lambda: _gzip(_GOOD) + b"\0", "gz"),
    "gzip-of-two-members": (_AFTER, lambda: _gzip(INTERPRETER) + _gzip(END), "gz"),
    "gzip-cut": (_CUT, lambda: _gzip(_GOOD)[:-9], "gz"),
    "gzip-without-checksum": (_CUT, lambda: _gzip(_GOOD)[:-4], "gz"),
    "gzip-of-another-checksum": (
        "incorrect",
        lambda: _gzip(_GOOD)[:-8] + bytes(4) + _gzip(_GOOD)[-4:],
        "gz",
    ),
    "gzip-of-another-length": ("incorrect", lambda: _gzip(_GOOD)[:-4] + b"abcd", "gz"),
    "not-gzip": ("incorrect header", lambda: _GOOD, "gz"),
    "zstd-then-noise": (_AFTER, lambda: zstandard.compress(_GOOD) + b"hidden", "zst"),
    "zstd-then-a-byte": (_AFTER, lambda: zstandard.compress(_GOOD) + b"\0", "zst"),
    "zstd-of-two-frames": (
        _AFTER,
        lambda: zstandard.compress(INTERPRETER) + zstandard.compress(END),
        "zst",
    ),
    "zstd-with-a-skippable-frame": (
        _AFTER,
        lambda: zstandard.compress(_GOOD) + _skippable(b"hidden"),
        "zst",
    ),
    "zstd-cut": (_CUT, lambda: zstandard.compress(_GOOD)[:-3], "zst"),
    "not-zstd": ("zstd", lambda: _GOOD, "zst"),
}


def python_tars() -> dict[str, tuple[str, Callable[[], bytes], str]]:
    """Return by name: words of the error, what makes the archive, and the end of its name."""
    families = (
        ("header", {n: (w, INTERPRETER + more + END) for n, (w, more) in HEADERS.items()}),
        ("kind", {n: (w, INTERPRETER + more + END) for n, (w, more) in TYPES.items()}),
        ("extended", {n: (w, INTERPRETER + more + END) for n, (w, more) in EXTENDED.items()}),
        ("name", {n: (w, INTERPRETER + more + END) for n, (w, more) in NAMES.items()}),
        ("tree", {n: (w, INTERPRETER + more + END) for n, (w, more) in LINKS.items()}),
        ("end", ENDS),
    )
    made: dict[str, tuple[str, Callable[[], bytes], str]] = {
        f"{family}-{name}": (words, lambda tar=tar: _gzip(tar), "gz")  # type: ignore[misc]
        for family, vectors in families
        for name, (words, tar) in vectors.items()
    }
    return made | {f"packed-{name}": vector for name, vector in COMPRESSED.items()}


def _bundle(archive: bytes, end: str) -> bytes:
    """Return a bundle that is as it should be, but for the archive of Python in it."""
    name = f"python.tar.{end}"
    target = host_target()
    described = PythonArchive(
        name=name,
        sha256=hashlib.sha256(archive).hexdigest(),
        size=len(archive),
        targets=(target.id,),
    )
    data = serialize(
        make_manifest(wheels(), [target], {"requirements.txt": REQUIREMENTS}, pythons=[described])
    )
    frames = plain_frames(data, [alice().sign(data)])
    frames.insert(-1 - len(wheels()), member(layout.python_name(name), archive))
    return join_plain(frames)


def python_vectors() -> list[Vector]:
    """Return the vectors of this module."""
    return [
        Vector(
            name=name,
            code=4,
            words=words,
            files=lambda make=make, end=end: host(_bundle(make(), end)),  # type: ignore[misc]
            options=("--bundled-python",),
        )
        for name, (words, make, end) in python_tars().items()
    ]
