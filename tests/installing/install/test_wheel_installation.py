"""A wheel is installed as the `installer` library installs it: the library is asked as well."""

import dataclasses
import warnings
from pathlib import Path

import installer
import pytest

from support.making.foo_wheel import open_wheel
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import tree
from vectors.wheels import CONTROLS
from wheelferry_installer.install.wheel_destination import StagingDestination
from wheelferry_installer.install.wheel_installation import install_wheel
from wheelferry_installer.wheel import verified_wheel

DATA = "foo-1.0.data"
SCHEMES = {
    "purelib": "lib/site-packages",
    "platlib": "lib64/site-packages",
    "scripts": "bin",
    "data": ".",
    "headers": "include/site/foo",
}
METADATA = {"INSTALLER": b"wheelferry\n", "REQUESTED": b""}
WHEELS = {
    "plain": make_wheel("foo"),
    "platform": make_wheel("foo", pure=False),
    "scripts": make_wheel(
        "foo", entry_points="[console_scripts]\na = foo:b\n[gui_scripts]\nc = d:e"
    ),
    "every-scheme": make_wheel(
        "foo",
        files={
            f"{DATA}/{scheme}/{name}": b"#!python\nfoo"
            for scheme in SCHEMES
            for name in ("one", "two")
        },
    ),
    "data-in-folders": make_wheel("foo", files={f"{DATA}/data/share/foo/deep/x": b"x"}),
    "other-data": make_wheel("foo", files={"foo-2.0.data/purelib/x": b"x", "foo.data/y": b"y"}),
    "compiled-modules": make_wheel(
        "foo",
        files={
            "__pycache__/foo.pyc": b"x",
            "foo/__pycache__/foo.pyc": b"x",
            "foo/x__pycache__/foo.py": b"x",
        },
    ),
    "file-that-is-called-like-their-folder": make_wheel("foo", files={"foo/__pycache__": b"x"}),
    "empty": make_wheel("foo", files={}),
}


def destination(folder: Path, wheel: TinyWheel) -> StagingDestination:
    folder.mkdir()
    hashes = open_wheel(wheel).hashes
    return StagingDestination(folder, SCHEMES, "/opt/env/bin/python", "posix", hashes)


def assert_installed_as_by_the_library(wheel: TinyWheel, folder: Path) -> None:
    ours, theirs = folder / "ours", folder / "theirs"
    install_wheel(open_wheel(wheel), destination(ours, wheel), METADATA, "3.12")
    with warnings.catch_warnings():
        # The library warns of compiled modules, and leaves them out as well.
        warnings.simplefilter("ignore", RuntimeWarning)
        installer.install(open_wheel(wheel), destination(theirs, wheel), METADATA)
    assert tree(ours) == tree(theirs)
    assert any(path.endswith("/RECORD") for path in tree(ours))


@pytest.mark.parametrize("name", WHEELS)
def test_every_kind_of_file(name: str, tmp_path: Path) -> None:
    assert_installed_as_by_the_library(WHEELS[name], tmp_path)


# Of a script and an entry point of one name the library refuses the second that comes.
@pytest.mark.parametrize("name", [name for name in CONTROLS if name != "script-and-entry-point"])
def test_unusual_wheels(name: str, tmp_path: Path) -> None:
    for number, wheel in enumerate(CONTROLS[name]()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert_installed_as_by_the_library(wheel, folder)


def test_executable_files(tmp_path: Path) -> None:
    wheel = make_wheel("foo", files={"tool": b"x"})
    # The only entry of that name in the directory: mode 0644 becomes 0755 there.
    changed = wheel.data.replace((0o100644 << 16).to_bytes(4, "little"), b"\0\0\xed\x81")
    assert changed != wheel.data
    assert_installed_as_by_the_library(dataclasses.replace(wheel, data=changed), tmp_path)
    assert (tmp_path / "ours" / SCHEMES["purelib"] / "tool").stat().st_mode & 0o100


@pytest.mark.parametrize("wrapper", ["tool", "tool.exe", "tool-script.py", "tool.pya", "tool.EXE"])
def test_entry_point_wins_over_the_script_that_setuptools_wrote_for_it(
    wrapper: str, tmp_path: Path
) -> None:
    scripts = {f"{DATA}/scripts/{wrapper}": b"#!python\nold", f"{DATA}/scripts/other": b"x"}
    wheel = make_wheel("foo", files=scripts, entry_points="[console_scripts]\ntool = foo:main\n")
    to = destination(tmp_path / "ours", wheel)
    install_wheel(open_wheel(wheel), to, METADATA, "3.12")
    assert to.contested == {}
    assert {path.name for path in (tmp_path / "ours/bin").iterdir()} == {"tool", "other"}
    assert "from foo import main" in (tmp_path / "ours/bin/tool").read_text(encoding="utf-8")
    record = next((tmp_path / "ours").rglob("RECORD")).read_text(encoding="utf-8")
    assert record.count("bin/tool") == 1


@pytest.mark.parametrize(
    ("called_for", "written"),
    [
        ({"pip", "pip3"}, {"pip", "pip3", "pip3.12"}),
        ({"pip", "pip3", "pip3.8"}, {"pip", "pip3", "pip3.12"}),
        ({"pip", "pip3", "pip3.12"}, {"pip", "pip3", "pip3.12"}),
        ({"pip", "pip3.x", "pip3.8-x"}, {"pip", "pip3.x", "pip3.8-x"}),
        ({"pip2", "pipx"}, {"pip2", "pipx"}),
    ],
)
def test_pip_is_there_under_the_version_of_its_python(
    called_for: set[str], written: set[str], tmp_path: Path
) -> None:
    lines = "".join(f"{name} = pip.cli:main\n" for name in sorted(called_for))
    wheel = make_wheel("pip", entry_points=f"[console_scripts]\n{lines}")
    install_wheel(open_wheel(wheel), destination(tmp_path / "ours", wheel), METADATA, "3.12")
    scripts = {path.name: path for path in (tmp_path / "ours/bin").iterdir()}
    assert scripts.keys() == written
    assert len({path.read_bytes() for path in scripts.values()}) == 1


def test_script_that_is_read_piece_by_piece_is_installed_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b"".join(b"%d = %d\n" % (number**3, number) for number in range(50_000))
    wheel = make_wheel("foo", files={f"{DATA}/scripts/tool": b"#!python\n" + lines})
    monkeypatch.setattr(verified_wheel, "STREAMED_FROM", 2000)
    install_wheel(open_wheel(wheel), destination(tmp_path / "ours", wheel), METADATA, "3.12")
    assert (tmp_path / "ours/bin/tool").read_bytes() == b"#!/opt/env/bin/python\n" + lines
