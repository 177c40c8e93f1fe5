"""`bundle install` as a user has it; what the installation itself does is in test_installation."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.making.archives import join_plain, plain_frames, replaced
from support.making.bundles import CREATED, host_target, make_bundle, trust
from support.making.wheels import make_wheel
from support.running.command import Ran, bundle, tree
from support.running.installations import SITE_PACKAGES, run
from support.running.ssh import fixed_key
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.system import disk
from wheelferry_installer.verify import policy

Main = Callable[..., Ran]
ALICE = fixed_key("alice")
TOOL = make_wheel(
    "tool",
    files={"tool.py": b"def main():\n    print('tool runs')\n"},
    entry_points="[console_scripts]\ntool = tool:main\n",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    """The current folder, with a bundle of alice's, whom this host trusts."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    make_bundle(tmp_path / "bundle.tar.zst", [TOOL, make_wheel("pure", "2.0")], keys=[ALICE])
    return tmp_path


def _install(main: Main, *options: object) -> Ran:
    return main("install", "bundle.tar.zst", "--no-sync", *options)


def test_environment_is_made_here_and_runs(main: Main, folder: Path) -> None:
    ran = main("install", "bundle.tar.zst")
    assert (ran.code, ran.err) == (0, "")
    signed, pure, tool, tally, installed, use = ran.out.splitlines()
    assert signed == f"signed by alice {ALICE.public.fingerprint}"
    assert (pure, tool, tally) == ("+ pure 2.0", "+ tool 1.0", "2 added")
    assert installed.startswith(f"installed 2 packages into {folder / '.venv'}, for CPython 3.")
    assert use == f"use it: {folder / '.venv/bin/python'}"
    assert run(folder / ".venv/bin/tool") == "tool runs\n"


def test_environment_can_be_elsewhere(main: Main, folder: Path) -> None:
    assert _install(main, "--venv", "a/b/env").code == 0
    assert run(folder / "a/b/env/bin/tool") == "tool runs\n"


def test_second_time_says_that_it_is_up_to_date(main: Main, folder: Path) -> None:
    _install(main)
    before = {path: path.lstat().st_mtime_ns for path in (folder / ".venv").rglob("*")}
    ran = _install(main)
    assert ran.code == 0
    assert f"{folder / '.venv'} is up to date: 2 packages\n" in ran.out
    assert {path: path.lstat().st_mtime_ns for path in (folder / ".venv").rglob("*")} == before


def test_quiet_says_nothing(main: Main) -> None:
    assert _install(main, "-q") == Ran(code=0, out="", err="")


def test_json(main: Main, folder: Path) -> None:
    for changed in (True, False):
        data = json.loads(_install(main, "--json").out)
        assert data["changed"] is changed
        assert data["environment"] == str(folder / ".venv")
        assert data["target"] == host_target().id
        assert data["signers"][0]["name"] == "alice"
        assert data["packages"] == [
            {"name": "pure", "version": "2.0", "wheel": "pure-2.0-py3-none-any.whl"},
            {"name": "tool", "version": "1.0", "wheel": "tool-1.0-py3-none-any.whl"},
        ]


def test_upgrade_says_what_changes(main: Main, folder: Path) -> None:
    _install(main)
    pure, extra = make_wheel("pure", "2.1"), make_wheel("extra")
    make_bundle(folder / "bundle.tar.zst", [pure, extra], keys=[ALICE])
    said = "+ extra 1.0\n~ pure 2.0 -> 2.1\n- tool 1.0\n1 added, 1 changed, 1 removed\n"
    assert said in _install(main, "--dry-run").out
    assert said in _install(main).out
    assert said not in _install(main, "--reinstall").out


def test_wheel_of_the_same_version_that_was_built_anew_is_a_change(
    main: Main, folder: Path
) -> None:
    _install(main)
    again = make_wheel("pure", "2.0", files={"pure.py": b"built = 'anew'"})
    make_bundle(folder / "bundle.tar.zst", [again, TOOL], keys=[ALICE])
    assert "~ pure 2.0 (same version)\n1 changed, 1 unchanged\n" in _install(main).out


def test_json_tells_the_states_before_and_after(main: Main, folder: Path) -> None:
    first = json.loads(_install(main, "--json").out)
    assert first["before"] == {"generation": None, "manifest_sha256": None, "packages": []}
    assert [change["before"] for change in first["changes"]] == [None, None]
    make_bundle(folder / "bundle.tar.zst", [make_wheel("pure", "2.1")], keys=[ALICE])
    foreseen = json.loads(_install(main, "--json", "--dry-run").out)
    second = json.loads(_install(main, "--json").out)
    receipt = read_receipt(folder / ".venv")
    generation = receipt.generation if receipt else None
    assert second["before"] == first["after"] == foreseen["before"]
    assert second["after"] == {
        **foreseen["after"],
        "generation": generation,
    }
    assert second["after"]["packages"] == [{"name": "pure", "version": "2.1"}]
    assert second["after"]["manifest_sha256"] != second["before"]["manifest_sha256"]
    assert (
        second["changes"]
        == foreseen["changes"]
        == [
            {"name": "pure", "before": "2.0", "after": "2.1"},
            {"name": "tool", "before": "1.0", "after": None},
        ]
    )
    third = json.loads(_install(main, "--json").out)
    assert third["before"] == third["after"] == second["after"]
    assert third["changes"] == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_dry_run_writes_nothing(main: Main, folder: Path, options: tuple[str, ...]) -> None:
    before = tree(folder)
    ran = _install(main, "--dry-run", *options)
    assert ran.code == 0
    assert tree(folder) == before
    if options:
        assert json.loads(ran.out)["changed"] is True
    else:
        assert ran.out.splitlines()[:3] == ["+ pure 2.0", "+ tool 1.0", "2 added"]
        assert f"would make {folder / '.venv'} with 2 packages, for CPython" in ran.out


def _tamper_with(bundle: Path) -> None:
    """Flip a bit in a wheel, in proper frames."""
    plains = plain_frames(bundle.read_bytes())
    number = next(n for n, plain in enumerate(plains) if plain.startswith(b"wheels/tool"))
    at = len(plains[number]) // 2
    flipped = plains[number][:at] + bytes([plains[number][at] ^ 1]) + plains[number][at + 1 :]
    bundle.write_bytes(join_plain(replaced(plains, number, flipped)))


def test_second_time_says_that_the_wheels_were_not_read(main: Main, folder: Path) -> None:
    assert _install(main, "--json").data["contents_read"] is True
    _tamper_with(folder / "bundle.tar.zst")
    ran = _install(main)
    assert ran.code == 0
    assert "the rest of the bundle was not read ('bundle verify' reads it)" in ran.out
    assert _install(main, "--json").data["contents_read"] is False
    for more in ("--reinstall", "--dry-run"):
        assert _install(main, more).code == 4


def test_second_time_checks_the_signature_again(main: Main, folder: Path) -> None:
    assert _install(main).code == 0
    plains = plain_frames((folder / "bundle.tar.zst").read_bytes())
    plains[0] = plains[0].replace(b"demo", b"evil")
    (folder / "bundle.tar.zst").write_bytes(join_plain(plains))
    assert _install(main).code == 3


def test_dry_run_refuses_wheel_of_other_bytes(main: Main, folder: Path) -> None:
    _tamper_with(folder / "bundle.tar.zst")
    ran = _install(main, "--dry-run")
    assert ran.code == 4
    assert "wheels/tool-1.0-py3-none-any.whl: its hash is not the one" in ran.err
    assert ran.out == ""


def test_dry_run_says_what_it_would_replace(main: Main, folder: Path) -> None:
    _install(main)
    assert "has these 2 packages already" in _install(main, "--dry-run").out
    make_bundle(folder / "bundle.tar.zst", [TOOL], keys=[ALICE])
    said = _install(main, "--dry-run").out
    assert said.startswith("- pure 2.0\n1 removed, 1 unchanged\n")
    assert f"would replace {folder / '.venv'} with 1 package," in said
    assert (folder / ".venv" / SITE_PACKAGES / "pure.py").exists()


def test_compiles_where_asked_to(main: Main, folder: Path) -> None:
    _install(main)
    assert not list((folder / ".venv").rglob("*.pyc"))
    assert "installed 2 packages" in _install(main, "--compile").out
    assert len(list((folder / ".venv").rglob("*.pyc"))) == 2
    assert "is up to date" in _install(main).out


def test_interpreter_can_be_named(main: Main, folder: Path) -> None:
    _install(main, "--python", sys.executable)
    launcher = folder / "python3.98"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    assert json.loads(_install(main, "--python", launcher, "--json").out)["changed"] is False


def test_interpreter_that_is_not_there(main: Main) -> None:
    ran = _install(main, "--python", "3.98")
    assert ran.code == 5
    assert "interpreter '3.98' not found" in ran.err


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_place_that_is_taken(main: Main, folder: Path, kind: str) -> None:
    place = folder / ".venv"
    if kind == "folder":
        place.mkdir()
        (place / "data").write_text("mine")
    elif kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to("elsewhere")
    before = tree(folder)
    ran = _install(main)
    assert ran.code == 8
    assert ran.err.startswith(f"error: {place} already exists")
    assert "hint: move it away" in ran.err
    assert tree(folder) == before


def test_two_wheels_with_one_file(main: Main, folder: Path) -> None:
    wheels = [make_wheel(name, files={"shared.py": b"", f"{name}.py": b""}) for name in ("a", "b")]
    make_bundle(folder / "bundle.tar.zst", wheels, keys=[ALICE])
    ran = _install(main)
    assert ran.code == 0
    assert ran.err.startswith(f"warning: {SITE_PACKAGES}/shared.py comes from wheels/")
    wheels = [make_wheel(name, files={"shared.py": name.encode()}) for name in ("a", "b")]
    make_bundle(folder / "bundle.tar.zst", wheels, keys=[ALICE])
    before = tree(folder / ".venv")
    ran = _install(main)
    assert ran.code == 4
    assert ran.err.startswith("error: wheels of the bundle contain the same files: ")
    assert tree(folder / ".venv") == before


def test_bundle_that_nobody_here_knows(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [TOOL], keys=[fixed_key("eve")])
    ran = _install(main)
    assert ran.code == 3
    assert fixed_key("eve").public.fingerprint in ran.err
    assert not (folder / ".venv").exists()


def test_unsigned_bundle_where_asked_to(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [TOOL])
    assert _install(main).code == 3
    ran = _install(main, "--allow-unsigned")
    assert ran.code == 0
    assert ran.err == "WARNING: bundle.tar.zst is taken without anybody vouching for it\n"


def test_nothing_fits_where_packages_are_for_another_host(main: Main, folder: Path) -> None:
    other = host_target().replaced(id="other", requires_python="==3.99.*")
    make_bundle(folder / "bundle.tar.zst", [TOOL], keys=[ALICE], targets=[other])
    ran = _install(main)
    assert ran.code == 5
    assert ran.err.startswith("error: nothing in the bundle fits CPython 3.")
    assert "other: made for Python 3.99" in ran.err
    assert not (folder / ".venv").exists()


def test_as_a_process_of_its_own(folder: Path) -> None:
    ran = bundle("install", "bundle.tar.zst", "--no-sync", cwd=folder)
    assert (ran.code, ran.err) == (0, "")
    assert run(folder / ".venv/bin/tool") == "tool runs\n"


def test_clock_behind_what_is_installed_is_a_warning(
    main: Main, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(main)
    installed = json.loads((folder / ".venv/wheelferry/receipt.json").read_text())["installed"]
    monkeypatch.setattr("time.time", lambda: CREATED + 0.5)
    ran = _install(main, "--dry-run")
    assert ran.code == 0
    assert (
        f"warning: by this host's clock what is installed comes from the future ({installed})"
    ) in ran.err


def test_clock_behind_the_installed_bundle_is_a_warning(main: Main, folder: Path) -> None:
    _install(main)
    receipt = folder / ".venv/wheelferry/receipt.json"
    newer = receipt.read_text().replace("2023-11-14T22:13:20Z", "2222-11-14T22:13:20Z")
    receipt.write_text(newer)
    said = _install(main, "--allow-downgrade").err
    assert "what is installed comes from the future (2222-11-14T22:13:20Z)" in said


def test_clock_that_is_right_is_no_warning(main: Main) -> None:
    _install(main)
    assert _install(main).err == ""


# Who can use it.


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    """Sets the umask for a test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_umask_under_which_nobody_else_can_use_it_is_told(
    main: Main, folder: Path, umask: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "others_get_to", lambda _folder: True)
    umask(0o077)
    for options in (("--dry-run",), ()):
        ran = _install(main, *options)
        assert ran.code == 0
        assert f"umask 0077 keeps other users from using {folder / '.venv'}" in ran.err
        assert "umask 022" in ran.err
    assert _install(main).err == ""


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o072])
def test_umask_under_which_others_can_use_it_needs_no_word(
    main: Main,
    folder: Path,
    umask: Callable[[int], int],
    monkeypatch: pytest.MonkeyPatch,
    mask: int,
) -> None:
    monkeypatch.setattr(disk, "others_get_to", lambda _folder: True)
    umask(mask)
    assert _install(main).err == ""
    assert (folder / ".venv").stat().st_mode & 0o005 == 0o005


def test_umask_needs_no_word_where_nobody_else_gets_anyway(
    main: Main, folder: Path, umask: Callable[[int], int]
) -> None:
    folder.chmod(0o700)
    umask(0o077)
    assert _install(main).err == ""


def test_umask_needs_no_word_at_home(
    folder: Path, umask: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "others_get_to", lambda _folder: True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(Path, "home", lambda: folder)
    umask(0o077)
    assert disk.umask_that_hides(folder / ".venv") is None
    assert disk.umask_that_hides(folder.parent / ".venv") == 0o077
