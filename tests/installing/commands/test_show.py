import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.archives import join, join_plain, member, packed_frames, plain_frames
from support.making.bundles import make_bundle, make_manifest, trust
from support.making.projects import compiled
from support.making.wheels import make_wheel
from support.running.command import Ran
from support.running.hosts import target
from support.running.ssh import fixed_key
from wheelferry_bundler.write.archive_writer import write_archive
from wheelferry_installer.verify import policy
from wheelferry_schemas.bundle.layout import wheel_name
from wheelferry_schemas.bundle.manifest import Manifest, serialize
from wheelferry_schemas.fields import format_timestamp

Main = Callable[..., Ran]
ALICE = fixed_key("alice")
LINUX, WINDOWS = target(), target("win_amd64")
WHEELS = [
    make_wheel("pure"),
    *compiled("fast", "2.0", "manylinux_2_28_x86_64", "win_amd64"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    """The current folder, with a bundle for two targets that alice signed."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    make_bundle(tmp_path / "bundle.tar.zst", WHEELS, keys=[ALICE], targets=[LINUX, WINDOWS])
    return tmp_path


def _write(path: Path, manifest: Manifest) -> None:
    """Write a bundle of the wheels above with another manifest."""
    contents: dict[str, bytes | Path] = {wheel_name(w.file_name): w.data for w in WHEELS}
    data = serialize(manifest)
    write_archive(path, manifest, data, [ALICE.sign(data)], contents, lambda _size: None)


def test_shows_what_is_in_a_bundle_and_who_signed_it(main: Main) -> None:
    ran = main("show", "bundle.tar.zst")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("bundle.tar.zst: demo 1.0, made 2023-11-14T22:13:20Z")
    assert lines[1] == f"from uv.lock, sha256 {'0' * 64}"
    assert lines[2] == f"signed by alice {ALICE.public.fingerprint}"
    for shown in (LINUX, WINDOWS):
        start = next(
            n for n, line in enumerate(lines) if line.startswith(f"{shown.id}: 2 packages")
        )
        assert [line.split()[0] for line in lines[start + 1 : start + 3]] == ["fast", "pure"]


def test_json(main: Main) -> None:
    data = json.loads(main("show", "--json", "bundle.tar.zst").out)
    assert [package["name"] for package in data["manifest"]["packages"]] == ["fast", "fast", "pure"]
    assert [signer["accepted"] for signer in data["signers"]] == [True]


@pytest.mark.parametrize("policy_file", [None, "broken\n"])
def test_signer_is_unknown_to_a_host_without_a_policy(
    main: Main, config_folder: Path, policy_file: str | None
) -> None:
    path = config_folder / "allowed_signers"
    path.unlink() if policy_file is None else path.write_text(policy_file)
    ran = main("show", "bundle.tar.zst")
    assert ran.code == 0
    said = f"signature does not count: {ALICE.public.fingerprint} (this host does not know the key)"
    assert said in ran.out


def test_unsigned_bundle_says_so(main: Main, folder: Path) -> None:
    make_bundle(folder / "bundle.tar.zst", WHEELS, targets=[LINUX, WINDOWS])
    assert "\nNOT SIGNED\n" in main("show", "bundle.tar.zst").out


def test_reads_the_manifest_alone(main: Main, folder: Path) -> None:
    data = (folder / "bundle.tar.zst").read_bytes()
    frames, sizes = packed_frames(data), [len(plain) for plain in plain_frames(data)]
    noise = [bytes(len(frame)) for frame in frames[3:]]
    (folder / "bundle.tar.zst").write_bytes(join([*frames[:3], *noise], sizes))
    assert main("show", "bundle.tar.zst").code == 0
    assert main("verify", "bundle.tar.zst").code == 4


def test_names_in_a_bundle_do_not_steer_the_terminal(main: Main, folder: Path) -> None:
    manifest = make_manifest(WHEELS, [LINUX, WINDOWS])
    hostile = "x\x1b[31m\ny\u202e"
    packages = [
        package.replaced(
            license=hostile, source=package.source.replaced(built=True, location=hostile)
        )
        for package in manifest.packages
    ]
    origin = manifest.made_from.replaced(name=hostile, options=(hostile,))
    changes = {"packages": tuple(packages), "made_from": origin, "tool": hostile}
    _write(folder / "bundle.tar.zst", manifest.replaced(**changes))
    for options in ((), ("--licenses",)):
        ran = main("show", *options, "bundle.tar.zst")
        assert ran.code == 0, ran.err
        assert not set("\x1b\u202e") & set(ran.out)
        assert "x\\x1b[31m\\ny\\u202e" in ran.out


def test_shows_when_it_expires(main: Main, folder: Path) -> None:
    manifest = make_manifest(WHEELS, [LINUX, WINDOWS])
    expires = format_timestamp(1_700_000_001)
    _write(folder / "bundle.tar.zst", manifest.replaced(expires=expires))
    ran = main("show", "bundle.tar.zst")
    assert ran.code == 0
    assert f"expires {expires}" in ran.out


def test_licenses(main: Main, folder: Path) -> None:
    manifest = make_manifest(WHEELS, [LINUX, WINDOWS])
    packages = tuple(
        package.replaced(license="MIT" if package.name == "fast" else None)
        for package in manifest.packages
    )
    _write(folder / "bundle.tar.zst", manifest.replaced(packages=packages))
    ran = main("show", "--licenses", "bundle.tar.zst")
    assert ran.out == "MIT\n  fast 2.0\nnot stated\n  pure 1.0\n"
    data = json.loads(main("show", "--licenses", "--json", "bundle.tar.zst").out)
    assert data == {"MIT": ["fast 2.0"], "not stated": ["pure 1.0"]}


def test_sbom_is_printed_byte_by_byte(main: Main, folder: Path) -> None:
    sbom = b'{"bomFormat": "CycloneDX", "name": "\xc5\xbe"}'
    documents = {"sbom.cdx.json": sbom}
    make_bundle(folder / "bundle.tar.zst", WHEELS, targets=[LINUX, WINDOWS], documents=documents)
    assert main("show", "--sbom", "bundle.tar.zst").out.encode() == sbom


def test_sbom_does_not_steer_the_terminal(
    main: Main, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = {"sbom.cdx.json": '{\n  "name": "x\x1b[31m\u202e\x85ž"\n}\n'.encode() + b"\xff\n"}
    make_bundle(folder / "bundle.tar.zst", WHEELS, targets=[LINUX, WINDOWS], documents=documents)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    said = main("show", "--sbom", "bundle.tar.zst").out
    assert said == '{\n  "name": "x\\x1b[31m\\u202e\\x85ž"\n}\n\ufffd\n'


def test_sbom_that_would_fill_the_memory(main: Main, folder: Path) -> None:
    documents = {"sbom.cdx.json": bytes(64 * 10**6 + 1)}
    make_bundle(folder / "bundle.tar.zst", WHEELS, targets=[LINUX, WINDOWS], documents=documents)
    ran = main("show", "--sbom", "bundle.tar.zst")
    assert ran.code == 4
    assert "error: sbom.cdx.json is larger than 64.0 MB" in ran.err


def test_says_that_there_is_no_sbom(main: Main) -> None:
    ran = main("show", "--sbom", "bundle.tar.zst")
    assert ran.code == 1
    assert "the bundle holds no SBOM" in ran.err


def test_newer_format_says_upgrade(main: Main, folder: Path) -> None:
    data = b'{"format": 2}\n'
    (folder / "bundle.tar.zst").write_bytes(join_plain([member("manifest.json", data)]))
    ran = main("show", "bundle.tar.zst")
    assert ran.code == 4
    assert "hint: upgrade wheelferry on this host" in ran.err


def test_what_is_no_bundle(main: Main, folder: Path) -> None:
    (folder / "bundle.tar.zst").write_text("hello")
    assert main("show", "bundle.tar.zst").code == 4
    assert main("show", "absent.tar.zst").code == 7
