"""`bundle unpack --uv-lock`: what it writes and what it refuses; uv itself runs in the journeys."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.making.bundles import host_target, make_manifest, trust
from support.making.locks import edge, package, project, uv_lock
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import Ran, tree
from support.running.ssh import fixed_key
from wheelferry_bundler.write.archive_writer import write_archive
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_installer.unpack.toml_text import parse_toml
from wheelferry_installer.verify import policy
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import Manifest, serialize
from wheelferry_schemas.errors import TransferError

Main = Callable[..., Ran]
ALICE = fixed_key("alice")
PURE, DEMO = make_wheel("pure"), make_wheel("demo")
PYPROJECT = "# mine\n[project]\nname = 'demo'\nversion = '1.0'\n"


def locked(wheel: TinyWheel, name: str = "pure", version: str = "1.0") -> str:
    file = f'{{ url = "https://index.example/x.whl", hash = "sha256:{wheel.sha256}" }}'
    return package(name, version, wheels=(), more=f"wheels = [{file}]")


LOCK = uv_lock(locked(PURE), project("demo", edge("pure")))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    """The current folder, with the project `p` and a bundle made from its lock."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    write_project(tmp_path / "p", LOCK)
    write_bundle(tmp_path / "bundle.tar.zst", LOCK, PURE, DEMO)
    return tmp_path


def write_project(folder: Path, lock: bytes, pyproject: str = PYPROJECT) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "uv.lock").write_bytes(lock)
    (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")


def manifest_of(lock: bytes, *wheels: TinyWheel, options: tuple[str, ...] = ()) -> Manifest:
    """Return the manifest of a bundle made from a lock, in which `demo` was built."""
    manifest = make_manifest(wheels)
    packages = tuple(
        p.replaced(source=p.source.replaced(built=True, kind="directory"))
        if p.name == "demo"
        else p
        for p in manifest.packages
    )
    made_from = manifest.made_from.replaced(
        sha256=hashlib.sha256(lock).hexdigest(), options=options
    )
    return manifest.replaced(packages=packages, made_from=made_from)


def write_bundle(
    path: Path, lock: bytes, *wheels: TinyWheel, options: tuple[str, ...] = ()
) -> None:
    manifest = manifest_of(lock, *wheels, options=options)
    data = serialize(manifest)
    files: dict[str, bytes | Path] = {
        layout.wheel_name(w.file_name): w.write(path.parent / "made") for w in wheels
    }
    write_archive(path, manifest, data, [ALICE.sign(data)], files, lambda _size: None)


def relocated(path: Path) -> dict[str, dict[str, Any]]:
    lock = parse_toml((path / "uv.lock").read_bytes(), "uv.lock")
    return {package["name"]: package for package in lock["package"]}


def test_copy_lies_beside_the_wheels(main: Main, folder: Path) -> None:
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert (ran.code, ran.err) == (0, "")
    packages = relocated(folder / "out")
    assert {name: p["source"] for name, p in packages.items()} == {
        "pure": {"registry": "wheels"},
        "demo": {"registry": "wheels"},
    }
    assert (folder / "out/pyproject.toml").read_text(encoding="utf-8") == PYPROJECT


def test_project_is_not_touched(main: Main, folder: Path) -> None:
    before = tree(folder / "p")
    main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert tree(folder / "p") == before


def test_says_what_to_type(main: Main) -> None:
    minor = host_target().markers.python_version
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert ran.out.splitlines()[-1] == (
        f"use it: cd out && uv sync --frozen --offline --python {minor}"
    )


def test_what_to_type_has_the_flags_that_the_bundle_was_made_with(main: Main, folder: Path) -> None:
    options = ("--allow-outside-paths", "--extra plot", "--no-dev")
    write_bundle(folder / "flags.tar.zst", LOCK, PURE, DEMO, options=options)
    ran = main("unpack", "flags.tar.zst", "out", "--uv-lock", "p")
    assert ran.out.rstrip().endswith(" --extra plot --no-dev")
    assert "outside" not in ran.out


def test_members_of_a_workspace_come_along(main: Main, folder: Path) -> None:
    head = '[manifest]\nmembers = ["demo", "lib"]\n'
    lock = uv_lock(project("demo"), project("lib", folder="libs/lib"), head=head)
    write_project(folder / "p", lock)
    (folder / "p/libs").mkdir()
    write_project(folder / "p/libs/lib", b"", "[project]\nname = 'lib'\n")
    (folder / "p/.python-version").write_text("3.12\n")
    write_bundle(folder / "workspace.tar.zst", lock, DEMO)
    assert main("unpack", "workspace.tar.zst", "out", "--uv-lock", "p").code == 0
    assert (folder / "out/libs/lib/pyproject.toml").read_text() == "[project]\nname = 'lib'\n"
    assert (folder / "out/.python-version").read_text() == "3.12\n"


def test_member_outside_of_the_project_is_not_copied(main: Main, folder: Path) -> None:
    head = '[manifest]\nmembers = ["demo", "lib"]\n'
    lock = uv_lock(project("demo"), project("lib", folder="../outside"), head=head)
    write_project(folder / "p", lock)
    write_project(folder / "outside", b"", "secret = 1\n")
    write_bundle(folder / "outside.tar.zst", lock, DEMO)
    assert main("unpack", "outside.tar.zst", "out", "--uv-lock", "p").code == 0
    assert sorted(path.parent.name for path in (folder / "out").rglob("pyproject.toml")) == ["out"]


def test_other_lock_is_taken_with_a_warning_if_all_is_there(main: Main, folder: Path) -> None:
    write_project(folder / "p", LOCK + b"# changed\n")
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert ran.code == 0
    assert ran.err.startswith("warning: the bundle was made from another uv.lock")


def test_names_all_that_the_bundle_lacks(main: Main, folder: Path) -> None:
    newer = make_wheel("pure", "2.0")
    lock = uv_lock(
        locked(newer, version="2.0"),
        package("added"),
        package("windows"),
        project(
            "demo", edge("pure"), edge("added"), edge("windows", marker="sys_platform == 'nope'")
        ),
    )
    write_project(folder / "p", lock)
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert (ran.code, tree(folder)) == (5, before)
    target = host_target().id
    assert ran.err.splitlines()[1:3] == [f"  added 1.0 for {target}", f"  pure 2.0 for {target}"]
    assert hashlib.sha256(lock).hexdigest() in ran.err


def test_lock_that_leaves_the_project_out_needs_no_wheel_of_it(main: Main, folder: Path) -> None:
    write_bundle(folder / "rest.tar.zst", b"other", PURE, options=("--no-install-project",))
    assert main("unpack", "rest.tar.zst", "out", "--uv-lock", "p").code == 0
    assert relocated(folder / "out")["demo"]["source"] == {"editable": "."}


@pytest.mark.parametrize(
    ("lock", "code", "said"),
    [
        (b"\xff", 4, "uv.lock is not TOML"),
        (b"x = ", 4, "uv.lock is not TOML"),
        (b"x = 1", 4, "not one of uv's locks"),
        (b"lock-version = '1.0'", 4, "not one of uv's locks"),
        (b"version = true", 4, "not one of uv's locks"),
        (b"version = 2", 4, "uv.lock has version 2"),
        (b"version = 1\npackage = 3", 4, "package is not a list of tables"),
        (b"version = 1\n[[package]]\nname = 'x'", 4, "no name or no source"),
        (b"version = 1\n[[package]]\nname = 'x'\nsource = {}\nwheels = [1]", 4, "wheels is not"),
        (
            b"version = 1\n[[package]]\nname = 'x'\nsource = {}\ndependencies = [{}]",
            4,
            "a dependency of x has no name",
        ),
    ],
)
def test_refuses_what_is_not_a_uv_lock(
    main: Main, folder: Path, lock: bytes, code: int, said: str
) -> None:
    write_project(folder / "p", lock)
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert (ran.code, tree(folder)) == (code, before)
    assert said in ran.err


@pytest.mark.parametrize("missing", ["uv.lock", "pyproject.toml"])
def test_refuses_folder_that_is_no_project(main: Main, folder: Path, missing: str) -> None:
    (folder / "p" / missing).unlink()
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p")
    assert ran.code == 2
    assert f"p has no {missing}" in ran.err


def test_editable_project_points_back_at_its_folder(main: Main, folder: Path) -> None:
    pyproject = (
        PYPROJECT
        + "[build-system]\nrequires = ['Builder>=1', 'other ; sys_platform == \"nope\"']\nbuild-backend = 'b'\n"
    )
    write_project(folder / "p", LOCK, pyproject)
    write_bundle(folder / "build.tar.zst", LOCK, PURE, DEMO, make_wheel("builder"))
    ran = main("unpack", "build.tar.zst", "out", "--uv-lock", "p", "--editable")
    assert ran.code == 0
    assert relocated(folder / "out")["demo"]["source"] == {"editable": "../p"}


def test_editable_names_what_it_would_be_built_with(main: Main, folder: Path) -> None:
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--editable")
    assert ran.code == 5
    assert "demo is built with setuptools" in ran.err
    assert "--with-build-deps" in ran.err
    assert not (folder / "out").exists()


def test_in_place_and_back(main: Main, folder: Path) -> None:
    before = tree(folder / "p")
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    assert ran.code == 0
    assert relocated(folder / "p")["pure"]["source"] == {"registry": "../out/wheels"}
    assert (folder / "p/pyproject.toml").read_text(encoding="utf-8") == PYPROJECT
    assert not (folder / "out/uv.lock").exists()
    assert ran.out.splitlines()[-1] == "undo it: bundle unpack --undo p"
    assert main("unpack", "--undo", "p").out == "p/uv.lock is the project's own again\n"
    assert tree(folder / "p") == before


def test_undo_where_nothing_was_changed(main: Main, folder: Path) -> None:
    before = tree(folder)
    ran = main("unpack", "--undo", "p")
    assert (ran.code, tree(folder)) == (0, before)
    assert ran.out == "p/uv.lock was not changed in place\n"


def test_undo_refuses_to_lose_a_change(main: Main, folder: Path) -> None:
    main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    (folder / "p/uv.lock").write_text("mine")
    before = tree(folder)
    ran = main("unpack", "--undo", "p")
    assert (ran.code, tree(folder)) == (8, before)
    assert "was changed since" in ran.err


@pytest.mark.parametrize("more", [(), ("--in-place",)])
def test_refuses_lock_that_is_changed_in_place(
    main: Main, folder: Path, more: tuple[str, ...]
) -> None:
    main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    ran = main("unpack", "bundle.tar.zst", "again", "--uv-lock", "p", *more)
    assert ran.code == 8
    assert "bundle unpack --undo p" in ran.err
    assert not (folder / "again").exists()


def test_undo_ends_what_a_killed_run_began(main: Main, folder: Path) -> None:
    before = tree(folder / "p")
    main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    (folder / "p/uv.lock").write_bytes(LOCK)
    assert main("unpack", "--undo", "p").code == 0
    assert tree(folder / "p") == before


def test_refuses_lock_that_is_a_link(main: Main, folder: Path) -> None:
    (folder / "p/uv.lock").rename(folder / "lock")
    (folder / "p/uv.lock").symlink_to("../lock")
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    assert ran.code == 8
    assert "uv.lock is not a file of the project's own" in ran.err
    assert tree(folder) == before


def test_undo_does_not_follow_a_link_with_planted_state(main: Main, folder: Path) -> None:
    (folder / "victim").write_bytes(b"theirs")
    (folder / "p/uv.lock").unlink()
    (folder / "p/uv.lock").symlink_to("../victim")
    (folder / "p/.wheelferry-overlay").mkdir()
    (folder / "p/.wheelferry-overlay/uv.lock").write_bytes(b"EVIL")
    theirs, evil = (hashlib.sha256(data).hexdigest() for data in (b"theirs", b"EVIL"))
    state = {"relocated_sha256": theirs, "original_sha256": evil}
    (folder / "p/.wheelferry-overlay/overlay.json").write_text(json.dumps(state))
    before = tree(folder)
    assert main("unpack", "--undo", "p").code == 8
    assert tree(folder) == before


@pytest.mark.parametrize("what", ["linked", "for all to write"])
def test_undo_reads_nothing_from_a_folder_that_is_not_ours(
    main: Main, folder: Path, what: str
) -> None:
    main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    state = folder / "p/.wheelferry-overlay"
    if what == "linked":
        state.rename(folder / "elsewhere")
        state.symlink_to("../elsewhere")
    else:
        state.chmod(0o777)
    before = tree(folder)
    ran = main("unpack", "--undo", "p")
    assert ran.code == 8
    assert "cannot be used for wheelferry's own files" in ran.err
    assert tree(folder) == before


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b'{"relocated_sha256": 1}', b"[" * 100_000])
def test_undo_of_a_state_that_makes_no_sense(main: Main, folder: Path, data: bytes) -> None:
    main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    (folder / "p/.wheelferry-overlay/overlay.json").write_bytes(data)
    assert main("unpack", "--undo", "p").code == 4


def test_failure_in_place_leaves_nothing(
    main: Main, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TransferError("no room")

    monkeypatch.setattr(OpenFolder, "write", fail)
    before = tree(folder)
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--in-place")
    assert (ran.code, tree(folder)) == (7, before)
