"""The page for whoever decides what crosses: all of its commands, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, make_key
from support.making.wheels import make_wheel
from wheelferry_bundler.sign.signing_keys import SigningKey

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/explanation/trust.md"
_BLOCK = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)


def _blocks() -> list[str]:
    found = (textwrap.dedent(block).strip() for block in _BLOCK.findall(PAGE.read_text("utf-8")))
    return [block for block in found if block]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the page speaks of; the home of its user is beside it."""
    folder = tmp_path / "desk"
    folder.mkdir()
    (tmp_path / "home/.ssh").mkdir(parents=True)
    alice = make_key("alice")
    documents = {"requirements.txt": b"# tests\n", "sbom.cdx.json": b"{}\n"}
    for name, version in (("old", "1.0"), ("bundle", "2.0")):
        wheels = [make_wheel("pure", version), make_wheel("other")]
        make_bundle(folder / f"{name}.tar.zst", wheels, keys=[alice], documents=documents)
    _write_public(folder, alice)
    _write_public(folder, make_key("mallory"))
    bob = tmp_path / "home/.ssh/bob"
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bob", "-f", bob)
    subprocess.run(command, check=True)
    bob.with_suffix(".pub").rename(folder / "bob.pub")
    (folder / "tests").symlink_to(ROOT / "tests")
    return folder


def _write_public(folder: Path, key: SigningKey) -> None:
    (folder / f"{key.name}.pub").write_text(f"{key.public.line()} {key.name}\n", encoding="utf-8")


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={
            "PATH": path,
            "HOME": str(folder.parent / "home"),
            "XDG_STATE_HOME": str(folder.parent / "state"),
            "LANG": "C.UTF-8",
        },
        input="y\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_every_command_of_the_page_does_what_it_says(desk: Path) -> None:
    assert len(_blocks()) > 8
    for block in _blocks():
        ran = _run(block, desk)
        assert ran.returncode == 0, f"{block}\n{ran.stdout}{ran.stderr}"
    policy = desk.parent / "home/.config/wheelferry"
    assert {path.name for path in policy.iterdir()} >= {
        "allowed_signers",
        "policy.ini",
        "revoked_keys",
    }


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ("true", True),
        ("echo >> wheels/pure-2.0-py3-none-any.whl", False),
        ("echo >> requirements.txt", False),
        ("touch wheels/x", False),
    ],
)
def test_stock_tools_see_what_was_changed(desk: Path, change: str, accepted: bool) -> None:
    start = next(n for n, block in enumerate(_blocks()) if block.startswith("ssh-keygen -l"))
    allowed, signed, files = _blocks()[start : start + 3]
    repack = (
        "mkdir t; tar --zstd -C t -xf bundle.tar.zst; cd t; " + change + "; cd ..; "
        "tar -C t --sort=name --zstd -cf bundle.tar.zst manifest.json signatures/1.sig "
        "requirements.txt sbom.cdx.json $(cd t; ls wheels/*)"
    )
    assert _run(f"{repack}\n{allowed}\n{signed}", desk).returncode == 0
    assert (_run(files, desk).returncode == 0) is accepted


def test_page_says_that_a_revoked_key_counts_nowhere(desk: Path) -> None:
    revoke = next(block for block in _blocks() if "revoked_keys" in block)
    trusted = "bundle trust add --yes alice.pub; bundle verify bundle.tar.zst"
    assert _run(trusted, desk).returncode == 0
    assert _run(revoke.replace("mallory", "alice"), desk).returncode == 0
    assert _run("bundle verify bundle.tar.zst", desk).returncode == 3
