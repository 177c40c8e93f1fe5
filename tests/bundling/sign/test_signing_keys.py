from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.running.ssh import make_openssh_key, openssh_accepts
from wheelferry_bundler.sign import signing_keys
from wheelferry_bundler.sign.signing_keys import SigningKey, load_key, new_key, open_key, trust_here
from wheelferry_bundler.sign.ssh_keygen import SshKeygenKey
from wheelferry_schemas.errors import ConflictError, TransferError, UsageError
from wheelferry_schemas.trust import allowed_signers, sshsig

MESSAGE = b'{"format": 1}\n'


def no_passphrase(path: Path) -> str:
    raise AssertionError(f"asked for the passphrase of {path}")


def encrypted_key(path: Path, passphrase: str) -> Path:
    """Have ssh-keygen make a key with a passphrase."""
    make_openssh_key(path)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(path)], check=True
    )
    return path


def test_new_key_is_for_its_owner_only(tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_new_key_makes_its_folder_for_the_owner_only(tmp_path: Path) -> None:
    new_key(tmp_path / "folder" / "key")
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_ssh_keygen_derives_the_public_half_of_a_new_key(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    run = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(tmp_path / "key")], capture_output=True, check=True
    )
    assert run.stdout.decode().split()[:2] == key.public.line().split()


def test_ssh_keygen_signs_with_a_new_key(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    trust_here(tmp_path, key)
    run = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(tmp_path / "key"), "-n", sshsig.NAMESPACE],
        input=MESSAGE,
        capture_output=True,
        check=True,
    )
    signers = tmp_path / allowed_signers.FILE_NAME
    assert openssh_accepts(signers, key.name, MESSAGE, run.stdout, sshsig.NAMESPACE)


def test_ssh_keygen_accepts_what_a_new_key_signs(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    trust_here(tmp_path, key)
    signers = tmp_path / allowed_signers.FILE_NAME
    assert openssh_accepts(signers, key.name, MESSAGE, key.sign(MESSAGE), sshsig.NAMESPACE)


def test_own_key_is_not_listed_where_root_says_who_may_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "SYSTEM_FOLDER", tmp_path / "etc")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / allowed_signers.FILE_NAME).write_text("")
    trust_here(tmp_path, new_key(tmp_path / "key"))
    assert not (tmp_path / allowed_signers.FILE_NAME).exists()


def test_ssh_keygen_refuses_the_signature_of_another_message(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    trust_here(tmp_path, key)
    signers = tmp_path / allowed_signers.FILE_NAME
    assert not openssh_accepts(signers, key.name, b"other", key.sign(MESSAGE), sshsig.NAMESPACE)


@pytest.mark.parametrize("existing", ["key", "key.pub"])
def test_new_key_replaces_nothing(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("precious", encoding="utf-8")
    with pytest.raises(ConflictError):
        new_key(tmp_path / "key")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["precious"]


def test_names_the_key_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransferError, match="file/key could not be written"):
        new_key(tmp_path / "file" / "key")


def test_loads_what_it_made(tmp_path: Path) -> None:
    made = new_key(tmp_path / "key")
    loaded = load_key(tmp_path / "key", no_passphrase)
    assert (loaded.public, loaded.name) == (made.public, made.name)


def test_takes_the_name_of_a_key_from_its_public_half(tmp_path: Path) -> None:
    make_openssh_key(tmp_path / "release")
    assert load_key(tmp_path / "release", no_passphrase).name == "release"


def test_names_a_key_after_its_user_where_the_public_half_is_not_there(tmp_path: Path) -> None:
    made = new_key(tmp_path / "key")
    signing_keys.public_path(tmp_path / "key").unlink()
    assert load_key(tmp_path / "key", no_passphrase).name == made.name


def test_loads_an_encrypted_key_with_its_passphrase(tmp_path: Path) -> None:
    path = encrypted_key(tmp_path / "key", "open sesame")
    asked: list[Path] = []

    def passphrase(of: Path) -> str:
        asked.append(of)
        return "open sesame"

    key = load_key(path, passphrase)
    assert key.public.line().split()[:2] == (tmp_path / "key.pub").read_text().split()[:2]
    assert asked == [path]


def test_refuses_a_wrong_passphrase_without_repeating_it(tmp_path: Path) -> None:
    path = encrypted_key(tmp_path / "key", "open sesame")
    with pytest.raises(UsageError, match="not the passphrase of") as caught:
        load_key(path, lambda _path: "s3cret")
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a private key"),
        (b"not a key\n", "not a private key"),
        (b"ssh-ed25519 AAAA alice\n", "not a private key"),
        (
            b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "not a private",
        ),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "not a private key",
        ),
        (bytes(range(256)), "not a private key"),
    ],
    ids=["empty", "text", "public half", "PEM", "cut", "binary"],
)
def test_refuses_a_file_that_is_no_key(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(UsageError, match=why) as caught:
        load_key(tmp_path / "key", no_passphrase)
    assert "ssh-keygen -t ed25519" in str(caught.value.hint)


def test_refuses_to_load_a_key_of_another_type(tmp_path: Path) -> None:
    make_openssh_key(tmp_path / "key", "ecdsa")
    with pytest.raises(UsageError, match="is not an Ed25519 key"):
        load_key(tmp_path / "key", no_passphrase)


@pytest.mark.parametrize("name", ["none", "folder"])
def test_names_a_key_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=f"{name} cannot be read"):
        load_key(tmp_path / name, no_passphrase)


def test_signs_in_memory_with_an_ed25519_key(tmp_path: Path) -> None:
    make_openssh_key(tmp_path / "key")
    assert isinstance(open_key(tmp_path / "key", no_passphrase), SigningKey)


@pytest.mark.parametrize("key_type", ["ecdsa", "rsa"])
def test_signs_through_ssh_keygen_with_a_key_of_another_type(tmp_path: Path, key_type: str) -> None:
    made = make_openssh_key(tmp_path / "key", key_type)
    key = open_key(tmp_path / "key", no_passphrase)
    assert isinstance(key, SshKeygenKey)
    assert sshsig.decode(key.sign(MESSAGE)).key == made.public


def test_says_what_ssh_keygen_says_where_it_does_not_sign(tmp_path: Path) -> None:
    make_openssh_key(tmp_path / "key")
    (tmp_path / "key").unlink()
    with pytest.raises(UsageError, match="ssh-keygen did not sign") as caught:
        open_key(tmp_path / "key.pub", no_passphrase).sign(MESSAGE)
    assert caught.value.details


def test_trusts_a_key_beside_others(tmp_path: Path) -> None:
    keys = [new_key(tmp_path / "one"), new_key(tmp_path / "two")]
    for key in keys:
        trust_here(tmp_path, key)
    lines = (tmp_path / allowed_signers.FILE_NAME).read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in lines] == [key.name for key in keys]


def test_trusts_a_key_after_a_line_without_end(tmp_path: Path) -> None:
    path = tmp_path / allowed_signers.FILE_NAME
    path.write_text("# my signers", encoding="utf-8")
    key = new_key(tmp_path / "key")
    trust_here(tmp_path, key)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "# my signers",
        allowed_signers.entry(key.name, key.public).strip(),
    ]


def test_name_of_a_key_without_public_half_is_its_own_comment(tmp_path: Path) -> None:
    key = tmp_path / "key"
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice of release", "-f", key)
    subprocess.run(command, check=True)
    (tmp_path / "key.pub").unlink()
    assert load_key(key, no_passphrase).name == "alice of release"


def test_name_of_an_encrypted_key_without_public_half_is_this_user(tmp_path: Path) -> None:
    key = encrypted_key(tmp_path / "key", "s3cret")
    (tmp_path / "key.pub").unlink()
    assert load_key(key, lambda _path: "s3cret").name == signing_keys._default_name()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_refuses_a_key_that_others_can_read(tmp_path: Path, mode: int) -> None:
    new_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(UsageError, match=f"its mode is {mode:04o}") as caught:
        load_key(tmp_path / "key", no_passphrase)
    assert f"chmod 600 {tmp_path / 'key'}" in str(caught.value.hint)


@pytest.mark.parametrize("cut", [15, 60, 200])
def test_key_that_is_cut_short_has_no_comment(tmp_path: Path, cut: int) -> None:
    new_key(tmp_path / "key")
    lines = (tmp_path / "key").read_bytes().splitlines()
    body = b"".join(lines[1:-1])[: cut // 4 * 4]
    assert signing_keys._own_comment(body) is None
