import errno
import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.bundles import trust
from support.running.command import Ran
from support.running.ssh import fixed_key, make_openssh_key, openssh_accepts
from wheelferry_installer.verify import policy
from wheelferry_schemas.trust.sshsig import NAMESPACE

Main = Callable[..., Ran]
ALICE, BOB = fixed_key("alice"), fixed_key("bob")
ASKED = "Did this person confirm that fingerprint? Trust it from now on? [y/N]:"


@pytest.fixture(autouse=True)
def system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands in the place of /etc/wheelferry; it is not there yet."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    return tmp_path / "etc"


@pytest.fixture
def signers(config_folder: Path) -> Path:
    """The list that `bundle trust` edits; it is not there yet."""
    return config_folder / "allowed_signers"


@pytest.fixture
def alice_pub(tmp_path: Path) -> Path:
    path = tmp_path / "alice.pub"
    path.write_text(f"{ALICE.public.line()} alice\n")
    return path


def test_adds_a_key_after_asking(main: Main, signers: Path, alice_pub: Path) -> None:
    ran = main("trust", "add", alice_pub, stdin="y\n")
    assert ran.code == 0, ran.err
    assert ran.out.endswith("alice may sign bundles for this host from now on\n")
    assert f"alice {ALICE.public.fingerprint}" in ran.err
    assert ASKED in ran.err
    assert signers.read_text() == f'alice namespaces="{NAMESPACE}" {ALICE.public.line()}\n'


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_adds_nothing_without_a_yes(
    main: Main, signers: Path, alice_pub: Path, answer: str
) -> None:
    ran = main("trust", "add", alice_pub, stdin=answer)
    assert ran.code == 130
    assert "stopped; nothing was changed" in ran.err
    assert not signers.exists()


@pytest.mark.parametrize("stdin", ["", "< /dev/null", "<&-"])
def test_does_not_ask_without_a_terminal(
    main: Main, signers: Path, alice_pub: Path, stdin: str
) -> None:
    if stdin:
        command = shlex.join([sys.executable, "-m", "wheelferry_installer", "trust", "add"])
        run = subprocess.run(
            ["sh", "-c", f"{command} {alice_pub} {stdin}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        ran = Ran(code=run.returncode, out=run.stdout, err=run.stderr)
    else:
        ran = main("trust", "add", alice_pub)
    assert ran.code == 2
    assert "without a terminal nobody can be asked" in ran.err
    assert f"bundle trust add --yes {alice_pub}" in ran.err
    assert not signers.exists()


def test_does_not_ask_scripts(main: Main, signers: Path, alice_pub: Path) -> None:
    ran = main("trust", "add", "--yes", alice_pub)
    assert ran.code == 0
    assert "?" not in ran.err
    assert signers.exists()


def test_list_is_for_its_owner_alone(main: Main, signers: Path, alice_pub: Path) -> None:
    main("trust", "add", "--yes", alice_pub)
    assert stat.S_IMODE(signers.stat().st_mode) == 0o600
    assert stat.S_IMODE(signers.parent.stat().st_mode) == 0o700
    assert [path.name for path in signers.parent.iterdir()] == ["allowed_signers"]


def test_key_is_one_that_openssh_accepts_too(main: Main, signers: Path, tmp_path: Path) -> None:
    key = make_openssh_key(tmp_path / "carol", "ecdsa", 384)
    assert main("trust", "add", "--yes", f"{key.path}.pub").code == 0
    armored = key.sign(b"message", NAMESPACE)
    assert openssh_accepts(signers, "carol", b"message", armored, NAMESPACE)


def test_name_can_be_given(main: Main, signers: Path, alice_pub: Path) -> None:
    main("trust", "add", "--yes", "--name", "a.smith@example", alice_pub)
    assert signers.read_text().startswith("a.smith@example ")


def test_asks_for_a_name_where_the_key_has_none(main: Main, signers: Path, tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_text(ALICE.public.line())
    ran = main("trust", "add", "--yes", path)
    assert ran.code == 2
    assert "hint: pass --name alice" in ran.err
    assert not signers.exists()


@pytest.mark.parametrize("name", ["alice smith", 'a"b', "a,b", "\x1b[31m"])
def test_refuses_name_that_cannot_be_written(
    main: Main, signers: Path, alice_pub: Path, name: str
) -> None:
    ran = main("trust", "add", "--yes", "--name", name, alice_pub)
    assert ran.code == 2
    assert "cannot name a signer" in ran.err
    assert "\x1b" not in ran.err
    assert not signers.exists()


def test_adds_to_what_is_there(main: Main, signers: Path, alice_pub: Path) -> None:
    trust(signers, BOB)
    before = "# our list\n" + signers.read_text().rstrip("\n")
    signers.write_text(before)
    main("trust", "add", "--yes", alice_pub)
    assert signers.read_text() == (
        f'{before}\nalice namespaces="{NAMESPACE}" {ALICE.public.line()}\n'
    )


def test_key_that_is_known_is_not_added_twice(main: Main, signers: Path, alice_pub: Path) -> None:
    trust(signers, ALICE)
    before = signers.read_text()
    ran = main("trust", "add", alice_pub)
    assert ran.code == 0
    assert "is trusted already" in ran.out
    assert signers.read_text() == before


def test_refuses_second_key_of_one_name(main: Main, signers: Path, tmp_path: Path) -> None:
    trust(signers, ALICE)
    before = signers.read_text()
    path = tmp_path / "new.pub"
    path.write_text(f"{BOB.public.line()} alice\n")
    ran = main("trust", "add", "--yes", path)
    assert ran.code == 8
    assert "has another key of alice" in ran.err
    assert "bundle trust remove alice" in ran.err
    assert signers.read_text() == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 4),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", 4),
        (b"ssh-dss AAAA x", 4),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm alice", 4),
        (b"\xff\xfe", 7),
    ],
)
def test_refuses_what_is_no_public_key(
    main: Main, signers: Path, tmp_path: Path, content: bytes, code: int
) -> None:
    path = tmp_path / "key.pub"
    path.write_bytes(content)
    assert main("trust", "add", "--yes", path).code == code
    assert not signers.exists()


def test_refuses_absent_file(main: Main, tmp_path: Path) -> None:
    ran = main("trust", "add", tmp_path / "absent.pub")
    assert ran.code == 7
    assert "absent.pub cannot be read" in ran.err


def test_does_not_touch_a_list_with_bad_lines(main: Main, signers: Path, alice_pub: Path) -> None:
    signers.parent.mkdir(parents=True)
    signers.write_text("broken\n")
    ran = main("trust", "add", "--yes", alice_pub)
    assert ran.code == 4
    assert "line 1:" in ran.err
    assert signers.read_text() == "broken\n"


def test_lists_who_may_sign(main: Main, signers: Path) -> None:
    trust(signers, ALICE, BOB)
    ran = main("trust", "list")
    assert ran.out == (
        f"alice {ALICE.public.fingerprint} (ssh-ed25519)\n"
        f"bob {BOB.public.fingerprint} (ssh-ed25519)\n"
    )
    assert ran.err == f"{signers}:\n"


def test_lists_as_json(main: Main, signers: Path) -> None:
    trust(signers, ALICE)
    data = json.loads(main("trust", "list", "--json").out)
    (signer,) = data["signers"]
    assert signer["file"] == str(signers)
    assert signer["problem"] is None
    assert signer["name"] == "alice"
    assert signer["fingerprint"] == ALICE.public.fingerprint


def test_list_of_a_host_that_trusts_nobody(main: Main, signers: Path) -> None:
    ran = main("trust", "list")
    assert ran.code == 3
    assert f"no trusted signers: neither {signers} nor" in ran.err
    assert "bundle trust add alice.pub" in ran.err


@pytest.mark.parametrize("who", ["alice", ALICE.public.fingerprint])
def test_removes_by_name_or_fingerprint(main: Main, signers: Path, who: str) -> None:
    trust(signers, ALICE, BOB)
    ran = main("trust", "remove", who)
    assert ran.code == 0
    assert ran.out == f"alice {ALICE.public.fingerprint} is no longer trusted\n"
    assert signers.read_text() == f'bob namespaces="{NAMESPACE}" {BOB.public.line()}\n'


def test_removes_every_line_of_the_key(main: Main, signers: Path) -> None:
    trust(signers, ALICE)
    signers.write_text(signers.read_text() + f"alias {ALICE.public.line()}\n")
    main("trust", "remove", "alias")
    assert signers.read_text() == ""


@pytest.mark.parametrize("there", [True, False])
def test_refuses_to_remove_whom_it_does_not_know(main: Main, signers: Path, there: bool) -> None:
    if there:
        trust(signers, ALICE)
    ran = main("trust", "remove", "bob")
    assert ran.code == 2
    assert "does not list 'bob'" in ran.err
    assert signers.exists() is there


def test_list_marks_revoked_keys_and_names_every_file(
    main: Main, signers: Path, system_folder: Path
) -> None:
    trust(signers, ALICE, BOB)
    revoked, settings = signers.with_name("revoked_keys"), system_folder / "policy.ini"
    revoked.write_text(f"{BOB.public.line()} bob\n")
    system_folder.mkdir()
    settings.write_text("[policy]\nrequire-signatures = 2\nnames = app, tools-*\n")
    ran = main("trust", "list")
    assert ran.out.splitlines() == [
        f"alice {ALICE.public.fingerprint} (ssh-ed25519)",
        f"bob {BOB.public.fingerprint} (ssh-ed25519) DOES NOT COUNT: the key is revoked",
        f"revoked by {revoked}: {BOB.public.fingerprint}",
        f"{settings}: 2 people have to sign",
        f"{settings}: only bundles named app, tools-*",
    ]
    data = main("trust", "list", "--json").data
    assert [signer["problem"] for signer in data["signers"]] == [None, "the key is revoked"]
    assert data["revoked"] == [{"fingerprint": BOB.public.fingerprint, "file": str(revoked)}]
    assert data["require_signatures"] == 2
    assert data["settings"] == [
        {"file": str(settings), "require_signatures": 2, "names": ["app", "tools-*"]}
    ]


def test_list_shows_the_systems_file_beside_the_users(
    main: Main, signers: Path, system_folder: Path
) -> None:
    trust(signers, ALICE, BOB)
    system = trust(system_folder / "allowed_signers", ALICE)
    ran = main("trust", "list")
    assert ran.err == f"{signers}:\n{system}:\n"
    fingerprint = BOB.public.fingerprint
    problem = f"{system} does not list the key"
    assert f"bob {fingerprint} (ssh-ed25519) DOES NOT COUNT: {problem}\n" in ran.out


def test_adds_for_all_users(
    main: Main, signers: Path, system_folder: Path, alice_pub: Path
) -> None:
    old = os.umask(0o077)
    try:
        assert main("trust", "add", "--system", "--yes", alice_pub).code == 0
    finally:
        os.umask(old)
    system = system_folder / "allowed_signers"
    assert system.read_text() == f'alice namespaces="{NAMESPACE}" {ALICE.public.line()}\n'
    assert stat.S_IMODE(system.stat().st_mode) == 0o644
    assert stat.S_IMODE(system_folder.stat().st_mode) == 0o755
    assert not signers.exists()


def test_does_not_add_in_vain(
    main: Main, signers: Path, system_folder: Path, alice_pub: Path
) -> None:
    system = trust(system_folder / "allowed_signers", BOB)
    ran = main("trust", "add", "--yes", alice_pub)
    assert ran.code == 3
    assert f"the key of alice would not count: {system}" in ran.err
    assert f"bundle trust add --system {alice_pub}" in ran.err
    assert not signers.exists()
    assert main("trust", "add", "--yes", "--system", alice_pub).code == 0
    assert "is trusted already" in main("trust", "add", alice_pub).out
    assert not signers.exists()


def test_does_not_add_a_revoked_key(main: Main, signers: Path, alice_pub: Path) -> None:
    signers.parent.mkdir(parents=True)
    revoked = signers.with_name("revoked_keys")
    revoked.write_text(f"{ALICE.public.line()} alice\n")
    ran = main("trust", "add", "--yes", alice_pub)
    assert ran.code == 3
    assert f"the key of alice is revoked: {revoked} lists it" in ran.err
    assert not signers.exists()


def test_removes_for_all_users(main: Main, signers: Path, system_folder: Path) -> None:
    system = trust(system_folder / "allowed_signers", ALICE, BOB)
    ran = main("trust", "remove", "alice")
    assert ran.code == 2
    assert f"{signers} does not list 'alice'" in ran.err
    assert f"{system} does; as root: bundle trust remove --system alice" in ran.err
    assert main("trust", "remove", "--system", "alice").code == 0
    assert system.read_text() == f'bob namespaces="{NAMESPACE}" {BOB.public.line()}\n'


def test_list_behind_a_link_stays_there(
    main: Main, signers: Path, tmp_path: Path, alice_pub: Path
) -> None:
    kept = trust(tmp_path / "dotfiles" / "list", BOB)
    signers.parent.mkdir(parents=True)
    signers.symlink_to(kept)
    assert main("trust", "add", "--yes", alice_pub).code == 0
    assert signers.is_symlink()
    assert "alice" in kept.read_text()


def test_list_that_cannot_be_written_is_told(
    main: Main, system_folder: Path, alice_pub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    ran = main("trust", "add", "--yes", "--system", alice_pub)
    assert ran.code == 7
    assert f"{system_folder / 'allowed_signers'} could not be written: Permission denied" in ran.err
    assert "hint: run it as root" in ran.err
