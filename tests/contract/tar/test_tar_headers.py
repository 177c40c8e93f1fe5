"""Tar archives as programs write them are read, entry by entry; ambiguous ones are refused.

Most of what is refused is in `vectors/python_tars.py`, one failure each.
"""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectors.raw_tar import END, GNU, entry, folder, header, link, long_name, pax, record
from wheelferry_schemas.tar.tar_headers import MAX_END, BrokenTarError, TarEntry, read_entries

LONG = "lib/" + "d" * 90 + "/" + "é" * 60
DEEP = f"{LONG}/" + "f" * 200


def read(tar: bytes) -> list[tuple[TarEntry, bytes]]:
    stream = io.BytesIO(tar)
    return [(one, b"".join(content)) for one, content in read_entries(stream.read)]


def names(*entries: bytes) -> list[str]:
    return [one.name for one, _ in read(b"".join(entries) + END)]


def make_files(place: Path) -> dict[str, tuple[str, str]]:
    """Make files, folders and links below a folder; returns their kinds and contents."""
    files = {"a": "1", "lib/empty": "", "lib/ž.py": "2", f"{DEEP}.py": "3" * 700}
    links = {"python": "a", "lib/long": "../" + "x" * 120}
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    for name, target in links.items():
        os.symlink(target, place / name)
    return {
        **{name: ("file", text) for name, text in files.items()},
        **{name: ("link", target) for name, target in links.items()},
        **dict.fromkeys(("", "lib", LONG.rpartition("/")[0], LONG), ("folder", "")),
    }


def seen(tar: bytes) -> dict[str, tuple[str, str]]:
    return {one.name: (one.kind, one.target or data.decode()) for one, data in read(tar)}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_reads_what_python_writes(form: int, tmp_path: Path) -> None:
    made = make_files(tmp_path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        tar.add(tmp_path, ".")
    assert seen(buffer.getvalue()) == made


@pytest.mark.parametrize("form", ["gnu", "oldgnu", "posix"])
def test_reads_what_gnu_tar_writes(form: str, tmp_path: Path) -> None:
    made = make_files(tmp_path)
    command = ["tar", f"--format={form}", "--owner=big:1234567890", "-C", str(tmp_path), "-cf-"]
    assert seen(subprocess.run([*command, "."], capture_output=True, check=True).stdout) == made


def test_reads_numbers_and_names_as_bsdtar_writes_them() -> None:
    long = "d/" + "p" * 150
    spelled = {"mode": b"000644 ", "uid": b"000000 ", "size": b"00000000002 "}
    devices = {"major": b"000000 ", "minor": b"000000 "}
    shortened = entry(b"p" * 99, b"ab", prefix=b"d", **spelled, **devices)
    flags = pax(
        record(b"path", long.encode()),
        record(b"SCHILY.fflags", b"extent"),
        record(b"SCHILY.xattr.user.x", b"\0\n\xff"),
        record(b"ctime", b"1795578640.016285279"),
    )
    target = "k" * 120
    linked = pax(record(b"linkpath", target.encode())) + link(b"a", b"././@LongSymLink")
    ((one, content), (other, _)) = read(flags + shortened + linked + END)
    assert (one.name, one.mode, content) == (long, 0o644, b"ab")
    assert (other.name, other.target) == ("a", target)


def test_reads_headers_without_numbers_that_do_not_matter_as_rust_writes_them() -> None:
    name = b"lib/" + b"x" * 100
    bare = {"uid": b"", "gid": b"", "major": b"", "minor": b""}
    assert names(long_name(name) + header(name[:100], 0, **bare)) == [name.decode()]
    # The target of a link is left out where it is too long.
    (found,) = read(long_name(name, b"K") + header(b"a", type=b"2") + END)
    assert found[0].target == name.decode()


def test_joins_prefix_and_name() -> None:
    assert names(header(b"a", prefix=b"lib/x")) == ["lib/x/a"]


def test_takes_away_what_tar_puts_around_names() -> None:
    spelled = [b".", b"./", b"./lib/", b"lib2/"]
    assert names(*map(folder, spelled), entry(b"./a")) == ["", "", "lib", "lib2", "a"]


def test_tells_mode_time_and_size() -> None:
    ((one, content),) = read(
        pax(record(b"mtime", b"1700000000.5")) + entry(b"a", b"abc", mode=b"0000755") + END
    )
    assert (one.mode, one.time, one.size, content) == (0o755, 1700000000.5, 3, b"abc")
    ((other, _),) = read(header(b"a", time=b"14000000000") + END)
    assert other.time == 0o14000000000


def test_passes_over_contents_that_are_not_read() -> None:
    stream = io.BytesIO(entry(b"a", b"x" * 2**20) + entry(b"b") + END)
    assert [one.name for one, _ in read_entries(stream.read)] == ["a", "b"]


def test_a_name_may_fill_its_field() -> None:
    assert names(entry(b"a" * 100)) == ["a" * 100]


def test_pax_may_say_what_the_header_says() -> None:
    same = pax(record(b"path", b"a"), record(b"size", b"2"), record(b"uid", b"7")) + entry(
        b"a", b"xy"
    )
    assert names(same) == ["a"]


@pytest.mark.parametrize("size", [1024, 10240, MAX_END])
def test_takes_a_last_record_of_zeros(size: int) -> None:
    assert len(read(entry(b"a") + bytes(size))) == 1


@pytest.mark.parametrize("size", [0, 512, 1023, 1025, 1535, MAX_END + 512])
def test_refuses_another_end(size: int) -> None:
    with pytest.raises(BrokenTarError):
        read(entry(b"a") + bytes(size))


@pytest.mark.parametrize(
    ("pad", "why"), [(b"\0" * 510 + b"x", "is not zeros"), (b"\0" * 200, "it is cut short")]
)
def test_refuses_what_follows_a_content_but_zeros(pad: bytes, why: str) -> None:
    with pytest.raises(BrokenTarError, match=why):
        read(header(b"a", 1) + b"a" + pad)


def test_extended_headers_hold_for_one_entry() -> None:
    long = b"x" * 120
    assert names(long_name(long) + entry(long[:100]), entry(b"b")) == [long.decode(), "b"]
    ((_, _), (other, _)) = read(
        pax(record(b"mtime", b"5")) + entry(b"a") + header(b"b", time=b"0") + END
    )
    assert other.time == 0


def test_gnu_may_state_both_a_long_name_and_a_long_target() -> None:
    name, target = b"n" * 120, b"t" * 120
    both = long_name(target, b"K") + long_name(name) + link(name[:100], target[:100], magic=GNU)
    ((one, _),) = read(both + END)
    assert (one.name, one.target) == (name.decode(), target.decode())


def test_refuses_a_gnu_name_that_is_not_followed_by_the_cut_one() -> None:
    with pytest.raises(BrokenTarError, match="another name in its header"):
        read(long_name(b"a" * 120) + entry(b"a" * 96) + END)


def test_says_which_header_is_wrong() -> None:
    with pytest.raises(BrokenTarError, match="the checksum of 'lib/a' is not"):
        read(header(b"lib/a", checksum=b"000001\0 ") + END)


@given(st.integers(0, 511), st.integers(1, 255))
def test_any_other_byte_of_a_header_is_noticed_or_changes_nothing(at: int, change: int) -> None:
    good = entry(b"lib/a", b"content") + END
    changed = bytearray(good)
    changed[at] ^= change
    # The checksum covers all but its own spelling.
    found = read_or_none(bytes(changed))
    assert found is None or (148 <= at < 156 and found == read(good))


def read_or_none(tar: bytes) -> list[tuple[TarEntry, bytes]] | None:
    try:
        return read(tar)
    except BrokenTarError:
        return None


@given(st.binary(max_size=600))
def test_pax_headers_of_anything_are_read_or_refused(content: bytes) -> None:
    tar = entry(b"././@PaxHeader", content, type=b"x") + entry(b"a" * 100) + END
    found = read_or_none(tar)
    assert found is None or len(found) == 1
