"""The command line of a file that installs itself, and the bundle that is read out of it."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.making.archives import examine, policy_of
from support.making.bundles import make_bundle, trust
from support.making.wheels import make_wheel
from support.running.command import Ran
from support.running.installations import ALICE, SITE_PACKAGES, install
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_installer.carried import completed
from wheelferry_schemas.bundle.self_contained import BUNDLE, HEAD_SIZE, SHEBANG, local_header
from wheelferry_schemas.errors import MalformedError, TamperedError

SELF = "/media/usb/bundle.pyz"


def wrapped(path: Path, bundle: bytes, after: bytes = b"PK the rest") -> Path:
    """Write a bundle as the first file of a ZIP archive whose rest nobody reads here."""
    head = SHEBANG + local_header(BUNDLE, zlib.crc32(bundle), len(bundle))
    path.write_bytes(head + bundle + after)
    return path


def test_bundle_is_verified_in_place(
    small_bundle: bytes, alice: SigningKey, tmp_path: Path
) -> None:
    path = wrapped(tmp_path / "bundle.pyz", small_bundle)
    (signer,) = examine(path, policy_of(alice))
    assert signer.name == "alice"


def test_verify_says_that_the_program_around_a_bundle_is_not_signed(
    main: Callable[..., Ran], small_bundle: bytes, alice: SigningKey, tmp_path: Path
) -> None:
    path = wrapped(tmp_path / "bundle.pyz", small_bundle, b"PK another __main__.py")
    options = ("--allowed-signers", trust(tmp_path / "signers", alice))
    ran = main("verify", path, *options)
    assert ran.code == 0
    assert "\nthe bundle in bundle.pyz is intact: 2 wheels" in ran.out
    assert "\nthe program around it is NOT SIGNED: before you run it, compare" in ran.out
    assert main("verify", path, *options, "--json").data["in_unsigned_program"] is True
    plain = tmp_path / "bundle.tar.zst"
    plain.write_bytes(small_bundle)
    assert main("verify", plain, *options, "--json").data["in_unsigned_program"] is False
    assert "NOT SIGNED" not in main("verify", plain, *options).out


def test_bundle_is_installed_from_its_place(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[ALICE])
    path = wrapped(tmp_path / "bundle.pyz", bundle.read_bytes())
    install(path, tmp_path / "env")
    assert (tmp_path / "env" / SITE_PACKAGES / "pure.py").exists()


@pytest.mark.parametrize("after", [b"", b"PK the rest"])
def test_refuses_a_changed_bundle(
    small_bundle: bytes, after: bytes, alice: SigningKey, tmp_path: Path
) -> None:
    middle = len(small_bundle) // 2
    changed = small_bundle[:middle] + b"\0\0\0\0" + small_bundle[middle + 4 :]
    path = wrapped(tmp_path / "bundle.pyz", changed, after)
    with pytest.raises(MalformedError):
        examine(path, policy_of(alice))


def test_refuses_a_file_that_was_cut_short(
    small_bundle: bytes, alice: SigningKey, tmp_path: Path
) -> None:
    path = wrapped(tmp_path / "bundle.pyz", small_bundle)
    path.write_bytes(path.read_bytes()[: HEAD_SIZE + len(small_bundle) - 1])
    with pytest.raises(TamperedError, match="shorter than it says"):
        examine(path, policy_of(alice))


def test_refuses_a_file_that_holds_no_bundle(alice: SigningKey, tmp_path: Path) -> None:
    path = tmp_path / "wheelferry.pyz"
    path.write_bytes(SHEBANG + local_header("__main__.py", 0, 0).ljust(1000))
    with pytest.raises(TamperedError):
        examine(path, policy_of(alice))


@pytest.mark.parametrize(
    ("arguments", "meaning"),
    [
        ([], ["install", SELF]),
        (["--venv", "X"], ["install", SELF, "--venv", "X"]),
        (["-v", "--venv", "X"], ["-v", "install", SELF, "--venv", "X"]),
        (["install", "--dry-run"], ["install", SELF, "--dry-run"]),
        (["verify"], ["verify", SELF]),
        (["--verbose", "verify", "--json"], ["--verbose", "verify", SELF, "--json"]),
        (["show", "--sbom"], ["show", SELF, "--sbom"]),
        (["install", "--help"], ["install", SELF, "--help"]),
        (["trust", "add", "alice.pub"], ["trust", "add", "alice.pub"]),
        (["status", "--json"], ["status", "--json"]),
        (["create"], ["create"]),
        (["nonsense"], ["nonsense"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
    ],
)
def test_bundle_is_implied_where_one_has_to_be_named(
    arguments: Sequence[str], meaning: Sequence[str]
) -> None:
    assert completed(arguments, SELF) == meaning
