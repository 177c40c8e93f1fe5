"""What Python runs at every start is told before it is installed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, trust
from support.making.wheels import make_wheel
from support.running.command import Ran
from support.running.ssh import fixed_key
from wheelferry_installer.verify import policy
from wheelferry_installer.wheel.startup import startup_files

Main = Callable[..., Ran]
ALICE = fixed_key("alice")
WHEEL = "foo-1.0-py3-none-any.whl"
STARTUP = make_wheel(
    "foo", files={"foo.pth": b"import foo\n", "sitecustomize.py": b"", "x.py": b""}
)
TOLD = [{"path": "foo.pth", "wheel": WHEEL}, {"path": "sitecustomize.py", "wheel": WHEEL}]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    """The current folder, with a bundle that alice signed; a wheel in it runs at every start."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    make_bundle(tmp_path / "bundle.tar.zst", [STARTUP, make_wheel("pure")], keys=[ALICE])
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "foo.pth",
        "foo.start",
        "sitecustomize.py",
        "usercustomize.pyc",
        "sitecustomize.cpython-312-x86_64-linux-gnu.so",
        "sitecustomize/__init__.py",
        "foo-1.0.data/purelib/foo.pth",
        "foo-1.0.data/platlib/usercustomize.py",
        "foo-1.0.data/data/lib/python3.12/site-packages/foo.pth",
        "foo-1.0.data/data/Lib/site-packages/sitecustomize/__init__.py",
    ],
)
def test_runs_at_every_start(path: str) -> None:
    assert [file.path for file in startup_files(WHEEL, [path])] == [path]


@pytest.mark.parametrize(
    "path",
    [
        "foo/foo.pth",
        "foo/sitecustomize.py",
        "foo.pth.txt",
        "sitecustomize_docs.py",
        "sitecustomize/other.py",
        "foo-1.0.data/scripts/foo.pth",
        "foo-1.0.data/data/share/foo.pth",
        "foo-1.0.data/purelib/foo/foo.pth",
        "foo-1.0.data/purelib/foo-1.0.data/purelib/foo.pth",
    ],
)
def test_runs_only_when_asked(path: str) -> None:
    assert startup_files(WHEEL, [path]) == []


@pytest.mark.parametrize("command", ["verify", "install"])
@pytest.mark.usefixtures("folder")
def test_is_told(main: Main, command: str) -> None:
    options = ["--dry-run"] if command == "install" else []
    ran = main(command, "bundle.tar.zst", *options)
    assert ran.code == 0
    assert (
        f"Python will run at every start:\n  foo.pth, of {WHEEL}\n  sitecustomize.py, of {WHEEL}\n"
    ) in ran.out
    data = json.loads(main(command, "bundle.tar.zst", *options, "--json").out)
    assert data["startup"] == TOLD


def test_nothing_is_told_where_nothing_runs(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [make_wheel("pure")], keys=[ALICE])
    for command in (["verify"], ["install", "--dry-run"]):
        assert "every start" not in main(*command, "bundle.tar.zst").out
        assert json.loads(main(*command, "bundle.tar.zst", "--json").out)["startup"] == []


def test_dry_run_refuses_wheel_that_could_not_be_installed(main: Main, folder: Path) -> None:
    make_bundle(
        folder / "bundle.tar.zst", [make_wheel("evil", files={"../evil.py": b""})], keys=[ALICE]
    )
    ran = main("install", "--dry-run", "bundle.tar.zst")
    assert ran.code == 4
    assert "'../evil.py' is not a plain relative path" in ran.err
