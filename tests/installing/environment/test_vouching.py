"""What `bundle status` vouches for, and what it only reads in the receipt."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, trust
from support.making.wheels import make_wheel, record_row
from support.running.command import Ran
from support.running.installations import ALICE, SITE_PACKAGES
from support.running.ssh import fixed_key
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.system import disk
from wheelferry_schemas import receipt

BOB = fixed_key("bob")
ALICES = ALICE.public.fingerprint


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    return trust(tmp_path / "signers", ALICE)


@pytest.fixture
def environment(tmp_path: Path, signers: Path, main: Callable[..., Ran]) -> Path:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("one")], keys=[ALICE])
    place = tmp_path / "env"
    options = ("--allowed-signers", signers, "--venv", place, "--no-sync")
    assert main("install", bundle, *options).code == 0
    return place


@pytest.fixture
def status(environment: Path, signers: Path, main: Callable[..., Ran]) -> Callable[..., Ran]:
    return lambda *options: main(
        "status", "--venv", environment, "--allowed-signers", signers, *options
    )


def rewrite(environment: Path, **changes: object) -> None:
    read = read_receipt(environment)
    assert read is not None
    path = environment / receipt.FOLDER / receipt.FILE_NAME
    path.write_bytes(receipt.serialize(read.replaced(**changes)))


def test_signature_that_this_host_accepts(status: Callable[..., Ran]) -> None:
    ran = status()
    assert (ran.code, ran.err) == (0, "")
    assert f"signed by alice {ALICES}\n" in ran.out
    assert "the receipt says that" not in ran.out
    data = status("--json").data
    assert data["vouched"] == {"signers": True, "packages": True, "files": False}
    assert data["signers"][0]["accepted"]


def test_signature_whose_key_is_not_known_here(
    environment: Path, main: Callable[..., Ran], tmp_path: Path
) -> None:
    others = trust(tmp_path / "others", BOB)
    ran = main("status", "--venv", environment, "--allowed-signers", others)
    assert ran.code == 0
    assert (
        f"the receipt says that alice {ALICES} signed: this host does not know the key" in ran.out
    )
    assert "signed by" not in ran.out
    ran = main("status", "--venv", environment, "--allowed-signers", others, "--json")
    assert ran.data["vouched"] == {"signers": False, "packages": False, "files": False}


def test_signer_who_did_not_sign(environment: Path, status: Callable[..., Ran]) -> None:
    rewrite(environment, signers=(f"bob {BOB.public.fingerprint}",))
    ran = status()
    assert ran.code == 4
    assert f"bob {BOB.public.fingerprint} signed, whose signature does not lie there" in ran.err
    assert f"signed by bob {BOB.public.fingerprint}" not in ran.out
    assert not status("--json").data["intact"]


def test_signature_over_another_manifest(environment: Path, status: Callable[..., Ran]) -> None:
    path = environment / receipt.FOLDER / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"demo", b"evil"))
    rewrite(environment, manifest_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    ran = status()
    assert ran.code == 4
    assert "whose signature does not lie there" in ran.err
    assert "signed by" not in ran.out


def test_manifest_that_the_receipt_does_not_name(
    environment: Path, status: Callable[..., Ran]
) -> None:
    rewrite(environment, manifest_sha256="0" * 64)
    ran = status()
    assert ran.code == 4
    assert "the manifest in it is not the one that its receipt names" in ran.err


def test_packages_that_the_manifest_does_not_list(
    environment: Path, status: Callable[..., Ran]
) -> None:
    read = read_receipt(environment)
    assert read is not None
    rewrite(environment, packages=(read.packages[0].replaced(version="7.0"),))
    ran = status()
    assert ran.code == 4
    assert "its receipt lists other packages than the manifest in it" in ran.err


def test_rewritten_record_and_receipt_are_not_vouched_for(
    environment: Path, status: Callable[..., Ran]
) -> None:
    module = environment / SITE_PACKAGES / "one.py"
    record = environment / SITE_PACKAGES / "one-1.0.dist-info" / "RECORD"
    row = record_row("one.py", module.read_bytes())
    module.write_bytes(b"evil")
    record.write_text(record.read_text().replace(row, record_row("one.py", b"evil")))
    read = read_receipt(environment)
    assert read is not None
    sha256 = hashlib.sha256(record.read_bytes()).hexdigest()
    rewrite(environment, packages=(read.packages[0].replaced(record_sha256=sha256),))
    ran = status()
    assert ran.code == 0
    assert "every installed file is as RECORD and receipt say; who can write there" in ran.out
    assert "bundle install BUNDLE --reinstall" in ran.out
    assert "as it was installed" not in ran.out
    assert not status("--json").data["vouched"]["files"]


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_signature_that_is_no_plain_file_is_not_read(
    environment: Path, status: Callable[..., Ran], kind: str
) -> None:
    path = environment / receipt.FOLDER / "signatures" / "1.sig"
    content = path.rename(environment.parent / "1.sig")
    if kind == "link":
        path.symlink_to(content)
    else:
        os.mkfifo(path)
    ran = status()
    assert ran.code == 4
    assert "whose signature does not lie there" in ran.err


def test_size_of_each_generation_is_told(
    environment: Path,
    tmp_path: Path,
    signers: Path,
    main: Callable[..., Ran],
    status: Callable[..., Ran],
) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("one", "2.0")], keys=[ALICE])
    options = ("--allowed-signers", signers, "--venv", environment, "--no-sync")
    main("install", bundle, *options)
    former = environment.parent / "env.wheelferry" / "previous"
    listed = status("--json").data["generations"]
    assert [(g["path"], g["size"]) for g in listed] == [
        (os.fspath(path), disk.size_on_disk(path)) for path in (environment, former)
    ]
    lines = status().out.splitlines()
    assert lines[0].endswith(" kB")
    assert next(line for line in lines if line.startswith("kept for ")).endswith(" kB")
