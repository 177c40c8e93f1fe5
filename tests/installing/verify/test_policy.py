import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.bundles import trust
from support.running.ssh import fixed_key
from wheelferry_installer.verify import policy
from wheelferry_installer.verify.policy import (
    load_policy,
    read_signers,
    refuse_below_floor,
    user_file,
)
from wheelferry_schemas.errors import MalformedError, TrustError
from wheelferry_schemas.trust import allowed_signers
from wheelferry_schemas.trust.sshsig import NAMESPACE

ALICE, BOB = fixed_key("alice"), fixed_key("bob")
NOW = 1_700_000_000


@pytest.fixture(autouse=True)
def system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /etc/wheelferry."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", folder)
    return folder


@pytest.fixture
def user_folder(config_folder: Path) -> Path:
    config_folder.mkdir(parents=True)
    return config_folder


def _names(explicit: Path | None = None) -> list[str]:
    return [signer.principals for signer in load_policy(explicit).lists[0].signers]


def test_list_of_the_user_is_in_the_config_folder(config_folder: Path) -> None:
    assert user_file() == config_folder / "allowed_signers"


def test_list_that_is_named_comes_before_the_users(tmp_path: Path, user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    named = trust(tmp_path / "named", BOB)
    assert load_policy(named).lists[0].path == named
    assert _names(named) == ["bob"]


def test_users_list_comes_before_the_systems(user_folder: Path, system_folder: Path) -> None:
    trust(system_folder / "allowed_signers", BOB)
    assert _names() == ["bob"]
    trust(user_folder / "allowed_signers", ALICE)
    assert _names() == ["alice"]


def test_says_where_it_looked_and_what_to_do(config_folder: Path, system_folder: Path) -> None:
    with pytest.raises(TrustError) as caught:
        load_policy(None)
    assert caught.value.message == (
        f"no trusted signers: neither {config_folder / 'allowed_signers'} nor "
        f"{system_folder / 'allowed_signers'} exists"
    )
    assert "bundle trust add alice.pub" in str(caught.value.hint)


def test_does_not_fall_back_from_a_named_list_that_is_absent(
    tmp_path: Path, user_folder: Path
) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    with pytest.raises(TrustError, match=r"/named does not exist$"):
        load_policy(tmp_path / "named")


def test_list_that_lists_nobody_is_refused(user_folder: Path, system_folder: Path) -> None:
    trust(system_folder / "allowed_signers", BOB)
    (user_folder / "allowed_signers").write_text("# nobody\n")
    with pytest.raises(TrustError, match="lists no signers") as caught:
        load_policy(None)
    assert "bundle trust add alice.pub" in str(caught.value.hint)


def test_bad_lines_are_told_with_the_files_name(user_folder: Path) -> None:
    path = user_folder / "allowed_signers"
    path.write_text("alice\nbob\n")
    with pytest.raises(MalformedError) as caught:
        load_policy(None)
    assert caught.value.message.startswith(f"{path}: ")
    assert len(caught.value.details) == 2
    assert caught.value.hint is not None


def test_list_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedError, match="is not a text file"):
        read_signers(path)


def test_folder_in_the_lists_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="is not a plain file"):
        read_signers(tmp_path)


@pytest.mark.parametrize("mode", [0o622, 0o606, 0o666, 0o660])
def test_list_that_others_may_write_is_refused(user_folder: Path, mode: int) -> None:
    path = trust(user_folder / "allowed_signers", ALICE)
    path.chmod(mode)
    with pytest.raises(TrustError, match="is writable by others") as caught:
        load_policy(None)
    assert f"chmod go-w {path}" in str(caught.value.hint)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400, 0o755])
def test_list_that_only_its_owner_may_write_is_taken(user_folder: Path, mode: int) -> None:
    trust(user_folder / "allowed_signers", ALICE).chmod(mode)
    assert _names() == ["alice"]


def test_list_of_another_user_is_refused(
    user_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trust(user_folder / "allowed_signers", ALICE)
    if os.geteuid() == 0:
        os.chown(path, 4711, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 4712)
    with pytest.raises(TrustError, match="belongs to another user") as caught:
        load_policy(None)
    assert "make it yours or root's" in str(caught.value.hint)


def test_list_of_root_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = trust(tmp_path / "list", ALICE)

    def of_root(status: os.stat_result) -> os.stat_result:
        return os.stat_result([0 if n == stat.ST_UID else v for n, v in enumerate(status)])

    fstat, stat_of = os.fstat, os.stat
    monkeypatch.setattr(os, "fstat", lambda descriptor: of_root(fstat(descriptor)))
    monkeypatch.setattr(os, "stat", lambda *path, **how: of_root(stat_of(*path, **how)))
    monkeypatch.setattr(os, "geteuid", lambda: 4712)
    assert [signer.principals for signer in read_signers(path)] == ["alice"]


# What is there and cannot be believed is no absence.


FILES = ["allowed_signers", "revoked_keys", "policy.ini"]
IN_THE_WAY: dict[str, tuple[Callable[[Path], object], str]] = {
    "link that leads nowhere": (
        lambda path: path.symlink_to("absent"),
        "cannot be read, so the policy of this host is unknown: No such file or directory",
    ),
    "link to itself": (lambda path: path.symlink_to(path.name), "cannot be read"),
    "folder": (lambda path: path.mkdir(), "is not a plain file"),
    "FIFO": (os.mkfifo, "is not a plain file"),
    "link to a device": (lambda path: path.symlink_to("/dev/null"), "is not a plain file"),
}


@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", ["user", "system"])
def test_what_cannot_be_read_is_no_absence(
    user_folder: Path, system_folder: Path, where: str, name: str, what: str
) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    make, problem = IN_THE_WAY[what]
    path = {"user": user_folder, "system": system_folder}[where] / name
    path.unlink(missing_ok=True)
    make(path)
    with pytest.raises(TrustError, match=re.escape(problem)) as caught:
        load_policy(None)
    assert caught.value.message.startswith(f"{path} ")
    assert f"ls -ld {path}" in str(caught.value.hint)


def test_link_to_a_list_is_followed(user_folder: Path, tmp_path: Path) -> None:
    (user_folder / "allowed_signers").symlink_to(trust(tmp_path / "list", ALICE))
    assert _names() == ["alice"]


@pytest.mark.parametrize("name", FILES)
def test_folder_that_others_may_write_says_nothing(user_folder: Path, name: str) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    text = {"revoked_keys": "", "policy.ini": "[policy]\nnames = demo\n"}
    if name in text:
        (user_folder / name).write_text(text[name])
    user_folder.chmod(0o777)
    with pytest.raises(TrustError, match="is writable by others") as caught:
        load_policy(None)
    assert caught.value.message.startswith(f"{user_folder} ")
    assert f"chmod go-w {user_folder}" in str(caught.value.hint)


def test_folder_that_a_link_leads_to_has_to_be_ours_too(user_folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (user_folder / "allowed_signers").symlink_to(trust(shared / "list", ALICE))
    shared.chmod(0o777)
    with pytest.raises(TrustError, match="is writable by others"):
        load_policy(None)
    shared.chmod(0o1777)
    assert _names() == ["alice"]


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("absent")])
def test_config_folder_that_is_none_is_no_absence(
    config_folder: Path, system_folder: Path, make: Callable[[Path], object]
) -> None:
    trust(system_folder / "allowed_signers", ALICE)
    config_folder.parent.mkdir(parents=True, exist_ok=True)
    make(config_folder)
    with pytest.raises(TrustError, match=re.escape(f"{config_folder} is not a folder")):
        load_policy(None)


@pytest.mark.parametrize("value", ["", "config", "./config"])
def test_variable_that_is_empty_or_relative_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    trust(tmp_path / "wheelferry" / "allowed_signers", BOB)
    trust(tmp_path / "config" / "wheelferry" / "allowed_signers", BOB)
    monkeypatch.setenv("XDG_CONFIG_HOME", value)
    assert user_file() == Path.home() / ".config" / "wheelferry" / "allowed_signers"
    with pytest.raises(TrustError, match="no trusted signers"):
        load_policy(None)


# What is in /etc is a floor.


def test_key_has_to_be_in_the_systems_list_too(
    tmp_path: Path, user_folder: Path, system_folder: Path
) -> None:
    system = trust(system_folder / "allowed_signers", ALICE)
    not_listed = f"{system} does not list the key"
    for own in (trust(user_folder / "allowed_signers", ALICE, BOB), trust(tmp_path / "l", BOB)):
        assert load_policy(own).refusal(BOB.public, NAMESPACE, NOW) == ("bob", not_listed)
    assert load_policy(None).refusal(ALICE.public, NAMESPACE, NOW) == ("alice", None)


def test_user_can_ask_for_less_than_the_systems_list(
    user_folder: Path, system_folder: Path
) -> None:
    trust(system_folder / "allowed_signers", ALICE, BOB)
    own = trust(user_folder / "allowed_signers", BOB)
    not_listed = f"{own} does not list the key"
    assert load_policy(None).refusal(ALICE.public, NAMESPACE, NOW) == ("alice", not_listed)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("absent"), Path.mkdir])
def test_nothing_goes_below_a_policy_of_the_system(
    system_folder: Path, name: str, make: Callable[[Path], object]
) -> None:
    refuse_below_floor()
    make(system_folder / name)
    with pytest.raises(TrustError, match="--allow-unsigned is refused") as caught:
        refuse_below_floor()
    assert str(system_folder / name) in caught.value.message


# How many people.


def test_number_of_people_is_that_of_the_stricter_list(
    user_folder: Path, system_folder: Path
) -> None:
    keys = frozenset({ALICE.public, BOB.public})
    trust(user_folder / "allowed_signers", ALICE, BOB)
    assert load_policy(None).people(keys) == 2
    one = "".join(allowed_signers.entry("alice", key.public) for key in (ALICE, BOB))
    (system_folder / "allowed_signers").write_text(one)
    assert load_policy(None).people(keys) == 1


# Which bundles.


@pytest.mark.parametrize(
    ("user", "system", "taken"),
    [
        ("app", None, {"app"}),
        ("app, tools-*", None, {"app", "tools-a"}),
        ("app\n  tools-?", None, {"app", "tools-a"}),
        ("*", "app", {"app"}),
        ("app", "tools-*", set()),
        (None, None, {"app", "tools-a", "other"}),
    ],
)
def test_names_limit_which_bundles_are_taken(
    user_folder: Path, system_folder: Path, user: str | None, system: str | None, taken: set[str]
) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    for folder, names in ((user_folder, user), (system_folder, system)):
        if names is not None:
            _settings(folder, f"[policy]\nnames = {names}\n")
    loaded = load_policy(None)
    bundles = ("app", "tools-a", "other")
    assert {name for name in bundles if loaded.refusal_of_name(name) is None} == taken


def test_says_which_file_keeps_a_bundle_out(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    _settings(user_folder, "[policy]\nnames = app, tools-*\n")
    told = load_policy(None).refusal_of_name("other")
    assert told == f"{user_folder / 'policy.ini'} allows app, tools-*"


def test_names_that_are_none_stop_everything(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    for names in ("", ",", "a/b", "a;b"):
        _settings(user_folder, f"[policy]\nnames = {names}\n")
        with pytest.raises(MalformedError, match=r"names is '.*'; it must list names"):
            load_policy(None)


def test_number_in_words_is_told_with_what_is_allowed(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    _settings(user_folder, "[policy]\nrequire-signatures = two\n")
    with pytest.raises(MalformedError) as caught:
        load_policy(None)
    assert caught.value.message == (
        f"{user_folder / 'policy.ini'}: require-signatures is 'two'; it must be a number from 1 to 16"
    )


def test_says_whose_key_it_is_and_that_it_counts(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    assert load_policy(None).refusal(ALICE.public, NAMESPACE, NOW) == ("alice", None)


def test_says_that_it_does_not_know_a_key(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    refused = (None, "this host does not know the key")
    assert load_policy(None).refusal(BOB.public, NAMESPACE, NOW) == refused


@pytest.mark.parametrize("where", ["user", "system", "named"])
def test_key_revoked_anywhere_is_revoked(
    tmp_path: Path, user_folder: Path, system_folder: Path, where: str
) -> None:
    named = trust(tmp_path / "named" / "list", ALICE, BOB)
    folder = {"user": user_folder, "system": system_folder, "named": named.parent}[where]
    text = f"# lost in May\n\n{ALICE.public.line()} alice\n"
    (folder / "revoked_keys").write_text(text)
    loaded = load_policy(named)
    assert loaded.refusal(ALICE.public, NAMESPACE, NOW) == ("alice", "the key is revoked")
    assert loaded.refusal(BOB.public, NAMESPACE, NOW) == ("bob", None)


def test_revoked_keys_that_cannot_be_read_stop_everything(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    (user_folder / "revoked_keys").write_text("alice\n")
    with pytest.raises(MalformedError, match="revoked_keys") as caught:
        load_policy(None)
    assert caught.value.hint == "list one public key per line"


def test_revoked_keys_that_others_may_write_stop_everything(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    path = user_folder / "revoked_keys"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(TrustError, match="is writable by others"):
        load_policy(None)


def _settings(folder: Path, text: str) -> None:
    (folder / "policy.ini").write_text(text)


def test_asks_for_one_signature_unless_told_otherwise(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    assert load_policy(None).required == 1


@pytest.mark.parametrize(
    ("user", "system", "option", "required"),
    [(2, 1, None, 2), (1, 3, None, 3), (2, 2, 4, 4), (3, 1, 2, 3), (16, 1, None, 16)],
)
def test_highest_number_of_signatures_holds(
    user_folder: Path,
    system_folder: Path,
    user: int,
    system: int,
    option: int | None,
    required: int,
) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    _settings(user_folder, f"[policy]\nrequire-signatures = {user}\n")
    _settings(system_folder, f"[policy]\nrequire-signatures = {system}\n")
    assert load_policy(None, option).required == required


@pytest.mark.parametrize(
    "text",
    [
        "require-signatures = 2\n",
        "[policy]\nrequire-signatures = two\n",
        "[policy]\nrequire-signatures\n",
        "[policy]\nrequire-signature = 2\n",
        "[Policy]\nrequire-signatures = 2\n",
        "[policy]\n[policy]\n",
        "[policy]\n",
        "",
        "[other]\nx = 1\n",
    ],
)
def test_settings_that_are_not_understood_stop_everything(user_folder: Path, text: str) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    _settings(user_folder, text)
    with pytest.raises(MalformedError, match=r"policy\.ini") as caught:
        load_policy(None)
    assert "below the line [policy] it has require-signatures = 2" in str(caught.value.hint)


def test_names_settings_that_are_not_known(user_folder: Path) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    _settings(user_folder, "[policy]\nrequire-signature = 2\n[other]\nx = 1\n")
    with pytest.raises(MalformedError) as caught:
        load_policy(None)
    path = user_folder / "policy.ini"
    assert caught.value.message == (
        f"{path} has unknown settings: [other] x, [policy] require-signature"
    )


@pytest.mark.parametrize("number", [0, -1, 17])
def test_absurd_number_of_signatures_is_refused(user_folder: Path, number: int) -> None:
    trust(user_folder / "allowed_signers", ALICE)
    _settings(user_folder, f"[policy]\nrequire-signatures = {number}\n")
    with pytest.raises(MalformedError, match=f"is '{number}'; it must be a number from 1 to 16"):
        load_policy(None)
