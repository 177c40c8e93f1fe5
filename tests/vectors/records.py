"""Wheels whose RECORD is hostile."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence

from support.making.wheels import TinyWheel, make_wheel, record_row, zip_bytes
from vectors.good_wheel import BIN, FILE_NAME, INFO, MODULE, contents


def rewritten(change: Callable[[dict[str, bytes]], object]) -> Callable[[], tuple[TinyWheel, ...]]:
    """Return what makes a good wheel with its files changed; RECORD stays as it was."""

    def make() -> tuple[TinyWheel, ...]:
        files = contents()
        change(files)
        return (TinyWheel(file_name=FILE_NAME, data=zip_bytes(files)),)

    return make


def with_record(change: Callable[[str], str | bytes]) -> Callable[[], tuple[TinyWheel, ...]]:
    def change_record(files: dict[str, bytes]) -> None:
        text = change(files[f"{INFO}/RECORD"].decode())
        files[f"{INFO}/RECORD"] = text if isinstance(text, bytes) else text.encode()

    return rewritten(change_record)


def with_row(hash_and_size: str) -> Callable[[], tuple[TinyWheel, ...]]:
    """Return a good wheel whose RECORD states something else of one file."""
    good = record_row(BIN, contents()[BIN])
    return with_record(lambda text: text.replace(good, f"{BIN},{hash_and_size}\n"))


def spelled(algorithm: str, data: bytes) -> str:
    name, _, length = algorithm.partition(":")
    made = hashlib.new(name, data)
    digest = made.digest(int(length)) if length else made.digest()  # type: ignore[call-arg]
    return f"{name}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _big_file() -> tuple[TinyWheel, ...]:
    """Return a wheel with a wrong hash for a file that is too large to be read at once."""
    zeros = bytes(17 * 2**20)
    row = record_row("foo/big.bin", zeros)
    wheel = make_wheel("foo", files={"foo.py": MODULE, "foo/big.bin": b"x" + zeros[1:]}, record="")
    files = {"foo.py": MODULE, "foo/big.bin": b"x" + zeros[1:]}
    files[f"{INFO}/METADATA"] = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n"
    files[f"{INFO}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
    rows = "".join(record_row(p, d) for p, d in files.items() if p != "foo/big.bin")
    files[f"{INFO}/RECORD"] = f"{rows}{row}{INFO}/RECORD,,\n".encode()
    return (TinyWheel(file_name=wheel.file_name, data=zip_bytes(files)),)


RECORDS: dict[str, tuple[str, Callable[[], Sequence[TinyWheel]]]] = {
    "missing": ("RECORD is missing", rewritten(lambda files: files.pop(f"{INFO}/RECORD"))),
    "phantom": (
        "RECORD lists 'foo/gone.py', which is absent",
        with_record(lambda text: text + record_row("foo/gone.py", b"")),
    ),
    "phantom-outside": (
        "RECORD lists '../../../gone', which is absent",
        with_record(lambda text: text + record_row("../../../gone", b"")),
    ),
    "duplicate": (
        "RECORD lists a file twice",
        with_record(lambda text: text + record_row(BIN, b"")),
    ),
    "duplicate-by-backslash": (
        "RECORD lists a file twice",
        with_record(lambda text: text + record_row("foo\\data.bin", b"")),
    ),
    "unlisted": (
        "'foo/extra.py' is not in RECORD",
        rewritten(lambda files: files.update({"foo/extra.py": MODULE})),
    ),
    "dotted-row": (
        "RECORD lists './foo/data.bin', which is absent",
        with_record(lambda text: text + record_row("./foo/data.bin", b"")),
    ),
    **{
        f"weak-{algorithm.partition(':')[0]}": (
            "RECORD has no strong hash for 'foo/data.bin'",
            with_row(f"{spelled(algorithm, contents()[BIN])},1024"),
        )
        for algorithm in ("md5", "sha1", "sha224", "shake_128:32", "shake_256:32", "blake2b")
    },
    "no-hash": ("RECORD has no strong hash", with_row(",1024")),
    "no-hash-at-all": ("RECORD has no strong hash", with_row(",")),
    "short-hash": ("RECORD has no strong hash", with_row("sha256=AAAA,1024")),
    "padded-hash": ("RECORD has no strong hash", with_row(f"sha256={'A' * 43}=,1024")),
    "wrong-hash": ("does not have the hash", with_row(f"sha256={'A' * 43},1024")),
    "wrong-hash-sha512": ("does not have the hash", with_row(f"sha512={'A' * 86},1024")),
    "wrong-hash-in-hex": ("does not have the hash", with_row(f"sha256={'0' * 64},1024")),
    "wrong-hash-of-big-file": ("does not have the hash", _big_file),
    "wrong-size": (
        "RECORD states another size",
        with_row(f"{spelled('sha256', contents()[BIN])},1025"),
    ),
    "negative-size": (
        "RECORD states another size",
        with_row(f"{spelled('sha256', contents()[BIN])},-1024"),
    ),
    "hash-of-itself": (
        "RECORD has no strong hash for 'foo-1.0.dist-info/RECORD'",
        with_record(lambda text: text.replace("RECORD,,", "RECORD,md5=x,")),
    ),
    "two-columns": ("RECORD cannot be read", with_record(lambda text: text + "foo/x.py,\n")),
    "open-quote": ("RECORD cannot be read", with_record(lambda text: text + '"foo/x.py')),
    "nul": ("RECORD", with_record(lambda text: text + "foo/\0x.py,,\n")),
    "huge-field": (
        "RECORD cannot be read",
        with_record(lambda text: text + "x" * 200_000 + ",,\n"),
    ),
    "many-rows": ("more rows than there are files", with_record(lambda text: text + "\n" * 2**20)),
    "not-utf8": ("RECORD is not UTF-8", with_record(lambda text: text.encode() + b"\xff,,\n")),
}
RECORD_CONTROLS: dict[str, Callable[[], Sequence[TinyWheel]]] = {
    "record-in-hex": with_row(f"sha256={hashlib.sha256(contents()[BIN]).hexdigest()},1024"),
    "record-in-sha512": with_row(f"{spelled('sha512', contents()[BIN])},1024"),
    "record-without-size": with_row(f"{spelled('sha256', contents()[BIN])},"),
    "record-with-carriage-returns": with_record(lambda text: text.replace("\n", "\r\n")),
    "signature-of-record": rewritten(lambda files: files.update({f"{INFO}/RECORD.jws": b"x"})),
}
