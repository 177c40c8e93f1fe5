import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.archives import join_plain, plain_frames
from support.making.bundles import CREATED, make_bundle, trust
from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.ssh import fixed_key
from wheelferry_installer.verify import policy
from wheelferry_schemas.display import human_size
from wheelferry_schemas.trust import allowed_signers

Main = Callable[..., Ran]
ALICE, BOB = fixed_key("alice"), fixed_key("bob")


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


def test_intact_bundle(main: Main, folder: Path) -> None:
    ran = main("verify", "bundle.tar.zst")
    assert (ran.code, ran.err) == (0, "")
    signed, intact = ran.out.splitlines()
    assert signed == f"signed by alice {ALICE.public.fingerprint}"
    size = human_size((folder / "bundle.tar.zst").stat().st_size)
    assert intact == f"bundle.tar.zst is intact: 2 wheels in a file of {size}"


def test_quiet_says_nothing(main: Main) -> None:
    assert main("verify", "-q", "bundle.tar.zst") == Ran(code=0, out="", err="")


def test_json(main: Main) -> None:
    ran = main("verify", "--json", "bundle.tar.zst")
    data = json.loads(ran.out)
    assert (data["name"], data["members"]) == ("demo", 4)
    assert data["created"] == "2023-11-14T22:13:20Z"
    assert data["signers"] == [
        {
            "name": "alice",
            "fingerprint": ALICE.public.fingerprint,
            "accepted": True,
            "problem": None,
        }
    ]
    assert ran.err == ""


def test_writes_nothing(main: Main, folder: Path) -> None:
    before = tree(folder)
    main("verify", "bundle.tar.zst")
    assert tree(folder) == before


def test_damaged_wheel(main: Main, folder: Path, small_bundle: bytes) -> None:
    plains = plain_frames(small_bundle)
    plains[4] = plains[4][:600] + b"evil" + plains[4][604:]
    (folder / "bundle.tar.zst").write_bytes(join_plain(plains))
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 4
    assert ran.err.startswith("error: wheels/other-1.0-py3-none-any.whl: its hash is not")
    assert "hint: the bundle was damaged on the way or tampered with" in ran.err
    assert ran.out == ""


def test_wheel_that_could_not_be_installed(main: Main, folder: Path) -> None:
    wheel = make_wheel("evil", files={"../evil.py": b""})
    make_bundle(folder / "bundle.tar.zst", [wheel], keys=[ALICE])
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 4
    assert "evil-1.0-py3-none-any.whl: '../evil.py' is not a plain relative path" in ran.err


def test_unknown_signer(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [], keys=[BOB])
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 3
    said = f"signatures/1.sig: {BOB.public.fingerprint}: this host does not know the key"
    assert said in ran.err.splitlines()[0]
    assert f"confirms the fingerprint {BOB.public.fingerprint}" in ran.err
    assert "bundle trust add alice.pub" in ran.err


def test_host_without_a_policy(main: Main, config_folder: Path) -> None:
    (config_folder / "allowed_signers").unlink()
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 3
    assert "no trusted signers" in ran.err
    assert "bundle trust add alice.pub" in ran.err


def test_list_of_signers_can_be_named(main: Main, folder: Path, config_folder: Path) -> None:
    (config_folder / "allowed_signers").unlink()
    trust(folder / "list", ALICE)
    assert main("verify", "--allowed-signers", "list", "bundle.tar.zst").code == 0
    trust(folder / "list", BOB)
    assert main("verify", "--allowed-signers", "list", "bundle.tar.zst").code == 3


def test_signature_that_does_not_count_is_a_warning(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [], keys=[BOB, ALICE])
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 0
    assert ran.err == (
        "warning: signatures/1.sig does not count: this host does not know the key\n"
    )


def test_unsigned_bundle(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [])
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 3
    assert "error: bundle.tar.zst is not signed" in ran.err
    assert "--allow-unsigned" in ran.err


def test_unsigned_bundle_is_taken_where_asked_to_and_loudly(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", [])
    ran = main("verify", "--allow-unsigned", "bundle.tar.zst")
    assert ran.code == 0
    assert ran.err == "WARNING: bundle.tar.zst is taken without anybody vouching for it\n"


def test_two_signatures_can_be_asked_for(main: Main, folder: Path, config_folder: Path) -> None:
    trust(config_folder / "allowed_signers", ALICE, BOB)
    ran = main("verify", "--require-signatures", "2", "bundle.tar.zst")
    assert ran.code == 3
    assert "is signed by 1 person, this host asks for 2" in ran.err
    make_bundle(folder / "bundle.tar.zst", [], keys=[BOB, ALICE])
    assert main("verify", "--require-signatures", "2", "bundle.tar.zst").code == 0


@pytest.mark.parametrize("number", ["0", "17", "two"])
def test_refuses_absurd_number_of_signatures(main: Main, number: str) -> None:
    assert main("verify", "--require-signatures", number, "bundle.tar.zst").code == 2


DAY = 24 * 60 * 60


@pytest.mark.parametrize("ahead", [1, DAY])
def test_bundle_from_a_near_future_is_a_warning(
    main: Main, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    monkeypatch.setattr("time.time", lambda: CREATED - ahead + 0.5)
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 0
    assert "by this host's clock the bundle comes from the future" in ran.err


def test_bundle_from_a_far_future_is_refused(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: CREATED - DAY - 1.0)
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 6
    assert (
        "error: the bundle was made at 2023-11-14T22:13:20Z, and by this host's clock it is "
        "2023-11-13T22:13:19Z"
    ) in ran.err
    assert "--allow-future" in ran.err
    assert main("verify", "bundle.tar.zst", "--allow-future").code == 0


def test_unsigned_bundle_from_a_far_future_is_refused_too(
    main: Main, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bundle(folder / "bundle.tar.zst", [])
    monkeypatch.setattr("time.time", lambda: CREATED - 2.0 * DAY)
    assert main("verify", "--allow-unsigned", "bundle.tar.zst").code == 6


def test_unsigned_bundle_is_refused_where_the_system_has_a_policy(main: Main, folder: Path) -> None:
    trust(folder / "etc" / "allowed_signers", ALICE)
    make_bundle(folder / "bundle.tar.zst", [])
    ran = main("verify", "--allow-unsigned", "bundle.tar.zst")
    assert ran.code == 3
    assert f"--allow-unsigned is refused: {folder / 'etc' / 'allowed_signers'}" in ran.err


def test_two_keys_of_one_person_are_one(main: Main, folder: Path, config_folder: Path) -> None:
    keys = [ALICE, BOB]
    make_bundle(folder / "bundle.tar.zst", [], keys=keys)
    lines = [allowed_signers.entry("alice", key.public) for key in keys]
    (config_folder / "allowed_signers").write_text("".join(lines))
    ran = main("verify", "--require-signatures", "2", "bundle.tar.zst")
    assert ran.code == 3
    assert "is signed by 1 person, this host asks for 2" in ran.err
    for number, key in enumerate(keys, start=1):
        fingerprint = key.public.fingerprint
        assert f"  signatures/{number}.sig: {fingerprint}: accepted, of alice\n" in ran.err


def test_bundle_of_a_name_that_this_host_does_not_take(main: Main, config_folder: Path) -> None:
    settings = config_folder / "policy.ini"
    settings.write_text("[policy]\nnames = app, tools-*\n")
    ran = main("verify", "bundle.tar.zst")
    assert ran.code == 3
    assert (
        f"error: this host accepts no bundle named 'demo': {settings} allows app, tools-*"
    ) in ran.err


def test_name_of_the_bundle_does_not_steer_the_terminal(main: Main, folder: Path) -> None:
    (folder / "bundle.tar.zst").rename(folder / "b\x1b[31m.tar.zst")
    ran = main("verify", "b\x1b[31m.tar.zst")
    assert ran.code == 0
    assert "b\\x1b[31m.tar.zst is intact" in ran.out


def test_folder_is_no_bundle(main: Main, folder: Path) -> None:
    ran = main("verify", folder)
    assert ran.code == 2
    assert "is a directory" in ran.err
