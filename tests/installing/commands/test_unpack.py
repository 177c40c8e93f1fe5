import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.archives import join_plain, plain_frames
from support.making.bundles import make_bundle, trust
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import Ran, tree
from support.running.ssh import fixed_key
from wheelferry_installer.system import disk
from wheelferry_installer.verify import policy

Main = Callable[..., Ran]
ALICE = fixed_key("alice")


@pytest.fixture(autouse=True)
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_bundle: bytes, config_folder: Path
) -> Path:
    """The current folder, with a bundle of alice's, whom this host trusts."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    (tmp_path / "bundle.tar.zst").write_bytes(small_bundle)
    return tmp_path


def write_bundle(folder: Path, *wheels: TinyWheel) -> Path:
    return make_bundle(folder / "more.tar.zst", wheels, keys=[ALICE])


def test_writes_what_tar_would(main: Main, folder: Path) -> None:
    ran = main("unpack", "bundle.tar.zst", "out")
    assert (ran.code, ran.err) == (0, "")
    files = {name for name, (kind, _, _) in tree(folder / "out").items() if kind == "file"}
    assert files == {
        "manifest.json",
        "signatures/1.sig",
        "pylock.toml",
        "requirements.txt",
        "wheels/other-1.0-py3-none-any.whl",
        "wheels/pure-1.0-py3-none-any.whl",
    }
    assert (folder / "out/wheels/pure-1.0-py3-none-any.whl").read_bytes() == make_wheel("pure").data


def test_says_who_signed_and_how_to_use_it(main: Main) -> None:
    signed, unpacked, use = main("unpack", "bundle.tar.zst", "out").out.splitlines()
    assert signed == f"signed by alice {ALICE.public.fingerprint}"
    assert unpacked.startswith("unpacked 2 wheels of 1.")
    assert use == (
        "use it: cd out && pip install --no-index --find-links wheels --require-hashes "
        "-r requirements.txt"
    )


def test_quiet_says_nothing(main: Main) -> None:
    assert main("unpack", "-q", "bundle.tar.zst", "out") == Ran(code=0, out="", err="")


def test_json(main: Main) -> None:
    data = json.loads(main("unpack", "--json", "bundle.tar.zst", "out").out)
    assert data["folder"] == "out"
    assert data["command"].startswith("cd out && pip install ")
    assert [signer["name"] for signer in data["signers"]] == ["alice"]


def test_empty_folder_keeps_its_mode(main: Main, folder: Path) -> None:
    (folder / "out").mkdir(mode=0o700)
    assert main("unpack", "bundle.tar.zst", "out").code == 0
    assert (folder / "out").stat().st_mode & 0o777 == 0o700


def test_leaves_nothing_beside_the_folder(main: Main, folder: Path) -> None:
    main("unpack", "bundle.tar.zst", "out")
    assert sorted(path.name for path in folder.iterdir()) == ["bundle.tar.zst", "out"]


def _tampered(data: bytes) -> bytes:
    """Return a bundle whose last wheel has another byte, in frames that are sound."""
    frames = plain_frames(data)
    frames[-2] = frames[-2][:600] + bytes([frames[-2][600] ^ 1]) + frames[-2][601:]
    return join_plain(frames)


@pytest.mark.parametrize("empty", [False, True])
def test_tampered_bundle_leaves_the_folder_as_it_was(
    main: Main, folder: Path, small_bundle: bytes, empty: bool
) -> None:
    (folder / "bundle.tar.zst").write_bytes(_tampered(small_bundle))
    if empty:
        (folder / "out").mkdir()
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out")
    assert ran.code == 4
    assert "wheels/pure-1.0-py3-none-any.whl" in ran.err
    assert tree(folder) == before


def test_refuses_wheel_that_could_not_be_installed(main: Main, folder: Path) -> None:
    bundle = write_bundle(folder, make_wheel("bad", record=""))
    ran = main("unpack", bundle, "out")
    assert ran.code == 4
    assert "bad-1.0-py3-none-any.whl" in ran.err
    assert not (folder / "out").exists()


def test_refuses_unsigned_bundle(main: Main, folder: Path) -> None:
    make_bundle(folder / "unsigned.tar.zst", [make_wheel("pure")])
    assert main("unpack", "unsigned.tar.zst", "out").code == 3
    assert not (folder / "out").exists()


def test_takes_unsigned_bundle_where_told_to(main: Main, folder: Path) -> None:
    make_bundle(folder / "unsigned.tar.zst", [make_wheel("pure")])
    assert main("unpack", "--allow-unsigned", "unsigned.tar.zst", "out").code == 0


def test_refuses_folder_that_is_not_empty(main: Main, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/mine").touch()
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out")
    assert (ran.code, tree(folder)) == (8, before)
    assert "out is not empty" in ran.err


def test_refuses_file_in_place_of_the_folder(main: Main, folder: Path) -> None:
    (folder / "out").touch()
    assert main("unpack", "bundle.tar.zst", "out").code == 8


def test_refuses_folder_whose_parent_is_not_there(main: Main) -> None:
    ran = main("unpack", "bundle.tar.zst", "nowhere/out")
    assert ran.code == 2
    assert "nowhere is not a folder" in ran.err


def test_full_disk_leaves_nothing(
    main: Main, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(disk, "sync_file_system", fail)
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out")
    assert (ran.code, tree(folder)) == (7, before)
    assert "No space left" in ran.err


def test_clears_what_a_killed_run_left(main: Main, folder: Path) -> None:
    left = folder / ".out.unpacking/staging"
    left.mkdir(parents=True)
    (left / "half").touch()
    assert main("unpack", "bundle.tar.zst", "out").code == 0
    assert not (folder / ".out.unpacking").exists()
    assert not (folder / "out/half").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "missing argument 'BUNDLE'"),
        (("bundle.tar.zst",), "say where to"),
        (("bundle.tar.zst", "out", "--simple-index", "index"), "say where to"),
        (("bundle.tar.zst", "--simple-index", "index", "--uv-lock", "."), "--uv-lock needs DIR"),
        (("bundle.tar.zst", "out", "--editable"), "need --uv-lock"),
        (("bundle.tar.zst", "out", "--in-place"), "need --uv-lock"),
        (("bundle.tar.zst", "out", "--undo", "."), "--undo cannot be combined"),
    ],
)
def test_impossible_command_lines(
    main: Main, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    before = tree(folder)
    ran = main("unpack", *arguments)
    assert (ran.code, tree(folder)) == (2, before)
    assert said in ran.err


@pytest.mark.parametrize("leads_to", ["victim", "."])
def test_linked_unpacking_folder_is_not_followed(main: Main, folder: Path, leads_to: str) -> None:
    (folder / leads_to / "staging").mkdir(parents=True)
    (folder / leads_to / "staging/mine").write_text("")
    (folder / ".out.unpacking").symlink_to(leads_to)
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out")
    assert ran.code == 8
    assert ".out.unpacking cannot be used" in ran.err
    assert tree(folder) == before
