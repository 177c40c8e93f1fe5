import hashlib
import os
import stat
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from installer.records import RecordEntry
from installer.utils import Scheme

from support.making.wheels import record_row
from support.running.installations import run, spelled_hash
from wheelferry_installer.install.wheel_destination import StagingDestination
from wheelferry_installer.system import disk

SCHEMES = {
    "purelib": "lib/site-packages",
    "platlib": "lib/site-packages",
    "scripts": "bin",
    "data": ".",
    "headers": "include/site/demo",
}
INTERPRETER = "/opt/env/bin/python"
PURELIB, SCRIPTS, DATA, HEADERS = map(Scheme, ("purelib", "scripts", "data", "headers"))
Make = Callable[..., StagingDestination]


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


@pytest.fixture
def make(staging: Path) -> Make:
    """Makes destinations in one staging folder."""

    def make_one(
        interpreter: str = INTERPRETER,
        hashes: dict[str, tuple[str, str]] | None = None,
        *,
        flushed: bool = False,
    ) -> StagingDestination:
        return StagingDestination(
            staging, SCHEMES, interpreter, "posix", hashes or {}, flushed=flushed
        )

    return make_one


def _write(
    destination: StagingDestination,
    scheme: Scheme,
    path: str,
    data: bytes,
    *,
    executable: bool = False,
) -> RecordEntry:
    return destination.write_file(scheme, path, BytesIO(data), executable)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("scheme", "path"),
    [
        (PURELIB, "lib/site-packages/a/b.txt"),
        (SCRIPTS, "bin/a/b.txt"),
        (DATA, "a/b.txt"),
        (HEADERS, "include/site/demo/a/b.txt"),
    ],
)
def test_writes_below_the_folder_of_the_scheme(
    make: Make, staging: Path, scheme: Scheme, path: str
) -> None:
    destination = make()
    entry = _write(destination, scheme, "a/b.txt", b"data")
    assert (staging / path).read_bytes() == b"data"
    assert destination.written == [path]
    assert entry.to_row() == ("a/b.txt", spelled_hash(staging / path), "4")


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_writes_files_of_every_size(make: Make, staging: Path, size: int) -> None:
    data = os.urandom(size)
    _write(make(), DATA, "file", data)
    assert (staging / "file").read_bytes() == data


def test_goes_on_where_the_system_writes_less_than_asked(
    make: Make, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    _write(make(), DATA, "file", bytes(range(100)))
    assert (staging / "file").read_bytes() == bytes(range(100))


@pytest.mark.parametrize("flushed", [True, False])
def test_large_files_go_to_the_disk_at_once_where_all_will_be_flushed(
    make: Make, flushed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    monkeypatch.setattr(
        disk, "begin_flush", lambda descriptor: begun.append(os.fstat(descriptor).st_size)
    )
    destination = make(flushed=flushed)
    _write(destination, DATA, "small", b"small")
    _write(destination, DATA, "large", bytes(2**20))
    assert begun == ([2**20] if flushed else [])


@pytest.mark.parametrize(
    ("umask", "plain", "executable"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]
)
def test_modes_follow_the_umask(
    make: Make, staging: Path, umask: int, plain: int, executable: int
) -> None:
    destination = make()
    before = os.umask(umask)
    try:
        _write(destination, PURELIB, "plain", b"")
        _write(destination, PURELIB, "program", b"", executable=True)
        _write(destination, SCRIPTS, "script", b"")
    finally:
        os.umask(before)
    folder = staging / "lib/site-packages"
    assert (_mode(folder / "plain"), _mode(folder / "program")) == (plain, executable)
    assert _mode(staging / "bin/script") == executable


def test_takes_hash_and_size_from_the_wheels_record(make: Make) -> None:
    destination = make(hashes={"a": ("sha256=stated", "4")})
    assert _write(destination, PURELIB, "a", b"data").to_row() == ("a", "sha256=stated", "4")


@pytest.mark.parametrize("row", [("", "4"), ("sha256=stated", "")])
def test_computes_what_the_wheels_record_does_not_state(
    make: Make, staging: Path, row: tuple[str, str]
) -> None:
    entry = _write(make(hashes={"a": row}), PURELIB, "a", b"data")
    assert entry.to_row() == ("a", spelled_hash(staging / "lib/site-packages/a"), "4")


@pytest.mark.parametrize("scheme", [SCRIPTS, DATA, HEADERS])
def test_rows_of_files_in_site_packages_are_not_those_of_others(make: Make, scheme: Scheme) -> None:
    entry = _write(make(hashes={"a": ("sha256=stated", "4")}), scheme, "a", b"data")
    assert entry.to_row()[1] != "sha256=stated"


# Files are made, never replaced.


def test_file_of_another_wheel_stays_and_is_told_of(make: Make, staging: Path) -> None:
    _write(make(), PURELIB, "a", b"first")
    second = make()
    _write(second, PURELIB, "a", b"second")
    assert (staging / "lib/site-packages/a").read_bytes() == b"first"
    assert second.written == []
    assert second.contested == {"lib/site-packages/a": hashlib.sha256(b"second").hexdigest()}


def test_file_that_the_wheel_has_twice_is_told_of(make: Make) -> None:
    destination = make()
    _write(destination, PURELIB, "a", b"first")
    _write(destination, DATA, "lib/site-packages/a", b"second")
    assert list(destination.contested) == ["lib/site-packages/a"]


@pytest.mark.parametrize("there", [True, False])
def test_link_is_not_followed(make: Make, staging: Path, tmp_path: Path, there: bool) -> None:
    outside = tmp_path / "outside"
    if there:
        outside.write_text("mine")
    (staging / "link").symlink_to(outside)
    destination = make()
    _write(destination, DATA, "link", b"evil")
    assert list(destination.contested) == ["link"]
    assert outside.exists() is there
    assert not there or outside.read_text() == "mine"


@pytest.mark.parametrize("path", ["file/below", "file/deep/below"])
def test_file_in_the_place_of_a_folder_is_told_of(make: Make, path: str) -> None:
    _write(make(), DATA, "file", b"")
    destination = make()
    _write(destination, DATA, path, b"")
    assert list(destination.contested) == [path]
    assert destination.written == []


def test_folder_in_the_place_of_a_file_is_told_of(make: Make) -> None:
    _write(make(), DATA, "folder/file", b"")
    destination = make()
    _write(destination, DATA, "folder", b"")
    assert list(destination.contested) == ["folder"]


# Scripts.


@pytest.mark.parametrize("first", [b"#!python", b"#!pythonw", b"#!python -u", b"#!python3"])
def test_scripts_get_the_environments_interpreter(make: Make, staging: Path, first: bytes) -> None:
    entry = _write(make(), SCRIPTS, "tool", first + b"\nimport sys\n")
    assert (staging / "bin/tool").read_bytes() == b"#!/opt/env/bin/python\nimport sys\n"
    assert entry.to_row() == ("tool", spelled_hash(staging / "bin/tool"), "33")


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", b" #!python\n", b"#!pytho"])
def test_other_scripts_stay_as_they_are(make: Make, staging: Path, data: bytes) -> None:
    _write(make(), SCRIPTS, "tool", data)
    assert (staging / "bin/tool").read_bytes() == data


def _make_echo(path: Path) -> None:
    """Make an interpreter that says what it was asked to run."""
    path.write_text('#!/bin/sh\necho "$1"\n')
    path.chmod(0o755)


ODD_NAMES = ["plain", "with space", "it's", "'''", '"', "$HOME", "`x`", "x" * 200]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_interpreter_is_found_whatever_its_path(
    make: Make, staging: Path, tmp_path: Path, name: str
) -> None:
    interpreter = tmp_path / name / "python"
    interpreter.parent.mkdir()
    _make_echo(interpreter)
    destination = make(os.fspath(interpreter))
    _write(destination, SCRIPTS, "tool", b"#!python\nprint(1)\n")
    destination.write_script("entry", "demo", "main", "console")
    for script in ("tool", "entry"):
        assert run(staging / "bin" / script) == f"{staging / 'bin' / script}\n"


def test_shebang_is_cut_at_tabs_too(make: Make, staging: Path, tmp_path: Path) -> None:
    interpreter = tmp_path / "tab\there"
    _make_echo(interpreter)
    _write(make(os.fspath(interpreter)), SCRIPTS, "tool", b"#!python\nprint(1)\n")
    assert run(staging / "bin/tool") == f"{staging / 'bin/tool'}\n"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_scripts_are_python_all_the_same(make: Make, staging: Path, name: str) -> None:
    _write(make(f"/{name}/python"), SCRIPTS, "tool", b"#!python\nANSWER = 42\n")
    names: dict[str, object] = {}
    exec(compile((staging / "bin/tool").read_bytes(), "tool", "exec"), names)  # noqa: S102
    assert names["ANSWER"] == 42


def test_entry_point_gets_a_launcher(make: Make, staging: Path) -> None:
    destination = make()
    entry = destination.write_script("tool", "demo.cli", "Main.run", "console")
    text = (staging / "bin/tool").read_text()
    assert text.startswith("#!/opt/env/bin/python\n")
    assert "from demo.cli import Main\n" in text
    assert "sys.exit(Main.run())" in text
    assert entry.to_row()[:2] == ("tool", spelled_hash(staging / "bin/tool"))
    assert _mode(staging / "bin/tool") & 0o100


# RECORD.


def test_record_lists_all_files_relative_to_site_packages(make: Make, staging: Path) -> None:
    destination = make()
    files = ((PURELIB, "demo.py"), (SCRIPTS, "tool"), (DATA, "share/x"), (HEADERS, "x.h"))
    rows = [(scheme, _write(destination, scheme, path, b"data")) for scheme, path in files]
    own = "demo-1.0.dist-info/RECORD"
    rows.append((PURELIB, RecordEntry(own, None, None)))
    destination.finalize_installation(PURELIB, own, rows)
    path = staging / "lib/site-packages" / own
    names = ("demo.py", "../../bin/tool", "../../share/x", "../../include/site/demo/x.h")
    assert sorted(path.read_text().splitlines(keepends=True)) == sorted(
        [f"{own},,\n", *(record_row(name, b"data") for name in names)]
    )
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert destination.record == (f"lib/site-packages/{own}", sha256)


def test_record_quotes_names_with_commas(make: Make, staging: Path) -> None:
    destination = make()
    entry = _write(destination, PURELIB, 'a,"b', b"")
    destination.finalize_installation(PURELIB, "x/RECORD", [(PURELIB, entry)])
    text = (staging / "lib/site-packages/x/RECORD").read_text()
    assert text.startswith('"a,""b",sha256=')
