"""Which keys `create` and `sign` use, and what they ask for, with and without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import Ran, bundle, succeed, tree
from support.running.index import LocalIndex
from support.running.terminals import on_terminal
from wheelferry_bundler.sign import signing_keys

CREATE = (sys.executable, "-m", "wheelferry_installer", "create")


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    return make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])


def protected(path: Path) -> Path:
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "s3cret", "-C", "alice", "-f", path)
    subprocess.run(command, check=True)
    return path


def test_without_a_terminal_no_key_is_made(project: Path, config_folder: Path) -> None:
    before = tree(project)
    ran = bundle("create", cwd=project, with_key=False)
    assert ran.code == 2
    assert "--key" in ran.err
    assert "--unsigned" in ran.err
    assert tree(project) == before
    assert not (config_folder / signing_keys.KEY_NAME).exists()


def test_on_a_terminal_a_key_is_made_once_and_this_host_trusts_it(
    project: Path, config_folder: Path
) -> None:
    code, said = on_terminal(CREATE, columns=120, cwd=project)
    assert code == 0, said
    assert "made a signing key for you" in said
    assert "bundle trust add" in said
    assert (config_folder / signing_keys.KEY_NAME).stat().st_mode & 0o777 == 0o600
    succeed("verify", "bundle.tar.zst", cwd=project)
    again = succeed("create", "--force", cwd=project)
    assert "made a signing key" not in again.err


def test_dry_run_needs_no_key(project: Path) -> None:
    assert bundle("create", "--dry-run", cwd=project, with_key=False).code == 0


def test_passphrase_comes_from_a_file(project: Path, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("s3cret\nignored\n", encoding="ascii")
    key = protected(tmp_path / "key")
    ran = bundle("create", "--key", key, "--passphrase-file", tmp_path / "passphrase", cwd=project)
    assert ran.code == 0, ran.err
    assert "signed by alice" in ran.out


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="this host has no /dev/fd")
def test_passphrase_comes_from_a_descriptor(project: Path, tmp_path: Path) -> None:
    key = protected(tmp_path / "key")
    reading, writing = os.pipe()
    os.write(writing, b"s3cret\n")
    os.close(writing)
    run = subprocess.run(
        [*CREATE, "--key", str(key), "--passphrase-file", f"/dev/fd/{reading}"],
        cwd=project,
        pass_fds=[reading],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(reading)
    assert run.returncode == 0, run.stderr


def refused(project: Path, *arguments: str | Path) -> Ran:
    before = tree(project)
    ran = bundle("create", *arguments, cwd=project)
    assert ran.code == 2, ran.err
    assert tree(project) == before
    return ran


def test_without_a_terminal_nobody_is_asked_for_a_passphrase(project: Path, tmp_path: Path) -> None:
    assert "--passphrase-file" in refused(project, "--key", protected(tmp_path / "key")).err


def test_wrong_passphrase_of_a_file_is_not_repeated(project: Path, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("wr0ng\n", encoding="ascii")
    key = protected(tmp_path / "key")
    ran = refused(project, "--key", key, "--passphrase-file", tmp_path / "passphrase")
    assert "wr0ng" not in ran.err


def test_names_a_passphrase_file_that_is_not_there(project: Path, tmp_path: Path) -> None:
    key = protected(tmp_path / "key")
    assert "nowhere" in refused(project, "--key", key, "--passphrase-file", "nowhere").err
