"""Signatures across both sides: several people, revoked keys, time, keys outside of our hands."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, make_key, trust
from support.making.wheels import make_wheel
from support.running.command import bundle, succeed


def ssh_key(folder: Path, name: str, *options: str) -> Path:
    """Make a key pair with ssh-keygen; returns the private key's path."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", name, "-f", path, *options], check=True)
    return path


@pytest.fixture
def signed(tmp_path: Path, config_folder: Path) -> Path:
    """A bundle that alice signed, on a host that trusts her."""
    key = make_key("alice")
    trust(config_folder / "allowed_signers", key)
    return make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[key])


def payload(path: Path) -> bytes:
    """Return the tar stream without signatures."""
    run = subprocess.run(
        ["tar", "--zstd", "-xOf", path, "manifest.json", "requirements.txt", "wheels"],
        check=True,
        capture_output=True,
    )
    return run.stdout


def test_second_signature_changes_no_other_byte(signed: Path, tmp_path: Path) -> None:
    before = payload(signed)
    first = signed.read_bytes()
    succeed("sign", signed, "--key", ssh_key(tmp_path, "bob"), cwd=tmp_path)
    assert payload(signed) == before
    # The frames before the new signature are the same bytes too.
    assert signed.read_bytes()[:400] == first[:400]


@pytest.mark.parametrize("kind", [("-t", "ecdsa"), ("-t", "rsa", "-b", "2048")])
def test_other_kinds_of_keys_sign_through_ssh_keygen(
    kind: tuple[str, ...], signed: Path, tmp_path: Path
) -> None:
    key = ssh_key(tmp_path, "bob", *kind)
    succeed("sign", signed, "--key", key, cwd=tmp_path)
    succeed("trust", "add", "--yes", f"{key}.pub", cwd=tmp_path)
    ran = succeed("verify", signed, "--require-signatures", "2", cwd=tmp_path)
    assert "signed by bob" in ran.out


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An ssh-agent for the time of a test."""
    socket = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as process:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        while not socket.exists():
            assert process.poll() is None
        yield
        process.terminate()


@pytest.mark.usefixtures("agent")
def test_key_in_an_agent_signs(signed: Path, tmp_path: Path) -> None:
    key = ssh_key(tmp_path, "bob", "-t", "ed25519")
    subprocess.run(["ssh-add", "-q", key], check=True)
    key.unlink()
    succeed("sign", signed, "--key", f"{key}.pub", cwd=tmp_path)
    shown = succeed("show", "--json", signed, cwd=tmp_path).data
    assert len(shown["signers"]) == 2


def test_same_key_does_not_sign_twice(signed: Path, tmp_path: Path) -> None:
    key = ssh_key(tmp_path, "bob", "-t", "ed25519")
    succeed("sign", signed, "--key", key, cwd=tmp_path)
    before = signed.read_bytes()
    again = bundle("sign", signed, "--key", key, cwd=tmp_path)
    assert again.code == 8
    assert signed.read_bytes() == before


def test_threshold_is_not_met_by_one_person(signed: Path, tmp_path: Path) -> None:
    ran = bundle("verify", signed, "--require-signatures", "2", cwd=tmp_path)
    assert ran.code == 3
    assert "1 person" in ran.err
    assert "hint: another person that this host trusts must sign it too" in ran.err


def test_policy_file_asks_for_two_signatures(
    signed: Path, tmp_path: Path, config_folder: Path
) -> None:
    (config_folder / "policy.ini").write_text("[policy]\nrequire-signatures = 2\n")
    assert bundle("verify", signed, cwd=tmp_path).code == 3
    key = ssh_key(tmp_path, "bob", "-t", "ed25519")
    succeed("trust", "add", "--yes", f"{key}.pub", cwd=tmp_path)
    succeed("sign", signed, "--key", key, cwd=tmp_path)
    succeed("verify", signed, cwd=tmp_path)


def test_command_line_does_not_lower_the_threshold_of_the_policy(
    signed: Path, tmp_path: Path, config_folder: Path
) -> None:
    (config_folder / "policy.ini").write_text("[policy]\nrequire-signatures = 2\n")
    assert bundle("verify", signed, "--require-signatures", "1", cwd=tmp_path).code == 3


def test_policy_file_with_a_typing_mistake_is_refused(
    signed: Path, tmp_path: Path, config_folder: Path
) -> None:
    (config_folder / "policy.ini").write_text("[policy]\nrequire_signatures = 2\n")
    ran = bundle("verify", signed, cwd=tmp_path)
    assert ran.code == 4
    assert "require_signatures" in ran.err


def test_revoked_key_does_not_count(signed: Path, tmp_path: Path, config_folder: Path) -> None:
    listed = (config_folder / "allowed_signers").read_text().split()
    (config_folder / "revoked_keys").write_text(" ".join(listed[2:4]) + " alice\n")
    ran = bundle("verify", signed, cwd=tmp_path)
    assert ran.code == 3
    assert "revoked" in ran.err


@pytest.mark.parametrize("name", ["allowed_signers", "policy.ini", "revoked_keys"])
def test_policy_that_others_may_write_is_refused(
    name: str, signed: Path, tmp_path: Path, config_folder: Path
) -> None:
    path = config_folder / name
    path.touch()
    path.chmod(0o666)
    ran = bundle("verify", signed, cwd=tmp_path)
    assert ran.code == 3
    assert "is writable by others" in ran.err


def test_removed_signer_is_no_longer_accepted(signed: Path, tmp_path: Path) -> None:
    succeed("trust", "remove", "alice", cwd=tmp_path)
    ran = bundle("verify", signed, cwd=tmp_path)
    assert ran.code == 3
    assert "lists no signers" in ran.err


def test_own_key_can_be_made_first(tmp_path: Path, config_folder: Path) -> None:
    made = succeed("key", "new", cwd=tmp_path)
    assert "bundle trust add signing_key.pub" in made.err
    assert (config_folder / "signing_key").exists()
    listed = succeed("trust", "list", "--json", cwd=tmp_path).data
    assert len(listed["signers"]) == 1


def test_key_is_never_replaced(tmp_path: Path, config_folder: Path) -> None:
    succeed("key", "new", cwd=tmp_path)
    before = (config_folder / "signing_key").read_bytes()
    assert bundle("key", "new", cwd=tmp_path).code == 8
    assert (config_folder / "signing_key").read_bytes() == before
