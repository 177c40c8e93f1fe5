"""`bundle unpack --target`: of a bundle for several targets, what some of them need."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.archives import join_plain, plain_frames
from support.making.bundles import make_bundle, trust
from support.making.locks import edge, package, uv_lock
from support.making.projects import compiled
from support.making.python_archives import described, interpreter, tar_of, write
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import Ran, tree
from support.running.hosts import target
from support.running.ssh import fixed_key
from wheelferry_installer.plan.narrowing import narrowed
from wheelferry_installer.unpack.toml_text import parse_toml
from wheelferry_installer.verify import policy
from wheelferry_schemas.bundle.manifest import parse, serialize
from wheelferry_schemas.target import Target

Main = Callable[..., Ran]
ALICE = fixed_key("alice")
LINUX, NEWER, WINDOWS = target(), target(python="3.13"), target("win_amd64")
PURE = make_wheel("pure")
FAST = compiled("fast", "2.0", "manylinux_2_28_x86_64", "win_amd64")
NEWER_FAST = compiled("fast", "2.0", "manylinux_2_28_x86_64", python="cp313")
WHEELS = [PURE, *FAST, *NEWER_FAST]
DOCUMENTS = {
    "sbom.cdx.json": b"{}",
    **{f"pylock.{t.id}.toml": b"lock-version = '1.0'\n" for t in (LINUX, NEWER, WINDOWS)},
    **{f"requirements.{t.id}.txt": b"pure==1.0\n" for t in (LINUX, NEWER, WINDOWS)},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    """The current folder, with a bundle for three targets, two of which bring a Python."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    (tmp_path / "made").mkdir()
    archives = {
        name: write(tmp_path / f"made/{name}.tar.gz", tar_of([interpreter(text=f"#!{name}\n")]))
        for name in ("linux", "windows")
    }
    make_bundle(
        tmp_path / "bundle.tar.zst",
        WHEELS,
        keys=[ALICE],
        targets=[LINUX, NEWER, WINDOWS],
        documents=DOCUMENTS,
        roots=["fast"],
        pythons=[
            described(archives["linux"], LINUX.id, NEWER.id),
            described(archives["windows"], WINDOWS.id),
        ],
    )
    return tmp_path


def files(folder: Path) -> set[str]:
    return {name for name, (kind, _, _) in tree(folder).items() if kind == "file"}


def test_writes_what_the_target_needs(main: Main, folder: Path) -> None:
    ran = main("unpack", "bundle.tar.zst", "out", "--target", WINDOWS.id)
    assert (ran.code, ran.err) == (0, "")
    assert files(folder / "out") == {
        "manifest.json",
        "signatures/1.sig",
        "sbom.cdx.json",
        f"pylock.{WINDOWS.id}.toml",
        f"requirements.{WINDOWS.id}.txt",
        "pythons/windows.tar.gz",
        "wheels/pure-1.0-py3-none-any.whl",
        "wheels/fast-2.0-cp312-cp312-win_amd64.whl",
    }


def test_manifest_stays_the_one_that_was_signed(main: Main, folder: Path) -> None:
    main("unpack", "bundle.tar.zst", "all")
    main("unpack", "bundle.tar.zst", "some", "--target", LINUX.id)
    for name in ("manifest.json", "signatures/1.sig"):
        assert (folder / "some" / name).read_bytes() == (folder / "all" / name).read_bytes()


def test_several_targets_share_what_both_need(main: Main, folder: Path) -> None:
    some = ("--target", LINUX.id, "--target", NEWER.id, "--target", LINUX.id)
    assert main("unpack", "bundle.tar.zst", "out", *some).code == 0
    assert {path.name for path in (folder / "out/wheels").iterdir()} == {
        "pure-1.0-py3-none-any.whl",
        "fast-2.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "fast-2.0-cp313-cp313-manylinux_2_28_x86_64.whl",
    }
    assert [path.name for path in (folder / "out/pythons").iterdir()] == ["linux.tar.gz"]


def test_says_how_to_use_the_documents_of_the_target(main: Main) -> None:
    said = main("unpack", "bundle.tar.zst", "out", "--target", WINDOWS.id).out.splitlines()
    assert said[1].endswith(f" kB for {WINDOWS.id} into out")
    assert said[2].endswith(f"--require-hashes -r requirements.{WINDOWS.id}.txt")


@pytest.mark.parametrize(
    ("options", "targets"),
    [
        ((), [LINUX.id, WINDOWS.id, NEWER.id]),
        (("--target", WINDOWS.id), [WINDOWS.id]),
        (("--target", NEWER.id, "--target", LINUX.id), [LINUX.id, NEWER.id]),
    ],
)
def test_json_names_the_targets(main: Main, options: tuple[str, ...], targets: list[str]) -> None:
    data = main("unpack", "--json", "bundle.tar.zst", "out", *options).data
    assert data["targets"] == targets


def test_unknown_targets_are_one_error_that_lists_the_known_ones(main: Main, folder: Path) -> None:
    before = tree(folder)
    some = ("--target", "cp39-nowhere", "--target", LINUX.id, "--target", "host")
    ran = main("unpack", "bundle.tar.zst", "out", *some)
    assert (ran.code, tree(folder)) == (2, before)
    assert ran.err.splitlines() == [
        "error: the bundle is not made for cp39-nowhere, host",
        *(f"  it is for {known}" for known in (LINUX.id, WINDOWS.id, NEWER.id)),
        "hint: name one of these; 'bundle show' tells what each of them gets",
    ]


@pytest.mark.parametrize("arguments", [("--undo", "."), ("out", "--undo", ".")])
def test_undo_has_no_target(main: Main, arguments: tuple[str, ...]) -> None:
    ran = main("unpack", *arguments, "--target", LINUX.id)
    assert ran.code == 2
    assert "--undo cannot be combined" in ran.err


def test_bundle_for_one_target_has_documents_without_a_name(main: Main, folder: Path) -> None:
    documents = {"pylock.toml": b"", "requirements.txt": b""}
    make_bundle(folder / "one.tar.zst", [PURE], keys=[ALICE], targets=[LINUX], documents=documents)
    ran = main("unpack", "one.tar.zst", "out", "--target", LINUX.id)
    assert ran.code == 0
    assert files(folder / "out") >= {"pylock.toml", "requirements.txt"}
    assert ran.out.endswith("-r requirements.txt\n")


def damaged(data: bytes, file_name: str) -> bytes:
    """Return a bundle with another byte in one of its wheels, in frames that are sound."""
    frames = [
        frame[:600] + bytes([frame[600] ^ 1]) + frame[601:]
        if file_name.encode() in frame[:1536] and frame.startswith(b"wheels/")
        else frame
        for frame in plain_frames(data)
    ]
    return join_plain(frames)


@pytest.mark.parametrize(("wheel", "code"), [(FAST[1], 4), (FAST[0], 0)])
def test_what_is_left_out_is_not_read(
    main: Main, folder: Path, wheel: TinyWheel, code: int
) -> None:
    path = folder / "bundle.tar.zst"
    path.write_bytes(damaged(path.read_bytes(), wheel.file_name))
    assert main("unpack", "bundle.tar.zst", "out", "--target", WINDOWS.id).code == code


def test_index_gets_the_wheels_of_the_target(main: Main, folder: Path) -> None:
    to = ("bundle.tar.zst", "--simple-index", "index")
    ran = main("unpack", "--json", *to, "--target", WINDOWS.id)
    assert (ran.data["added"], ran.data["targets"]) == (2, [WINDOWS.id])
    assert {path.name for path in (folder / "index/files").glob("*.whl")} == {
        "pure-1.0-py3-none-any.whl",
        "fast-2.0-cp312-cp312-win_amd64.whl",
    }
    ran = main("unpack", "--json", *to, "--target", LINUX.id)
    assert (ran.data["added"], ran.data["present"]) == (1, 1)


def write_project(folder: Path, *needs: str) -> None:
    """Write a project that needs fast, and more."""
    listed = ", ".join(
        f'{{ url = "https://index.example/x.whl", hash = "sha256:{wheel.sha256}" }}'
        for wheel in (*FAST, *NEWER_FAST)
    )
    fast = package("fast", "2.0", wheels=(), more=f"wheels = [{listed}]")
    edges = [edge("fast"), *needs]
    demo = package("demo", source='virtual = "."', wheels=(), needs=edges)
    (folder / "p").mkdir()
    (folder / "p/uv.lock").write_bytes(uv_lock(fast, package("absent"), demo))
    (folder / "p/pyproject.toml").write_text("[project]\nname = 'demo'\nversion = '1.0'\n")


def test_lock_keeps_the_wheels_of_the_target(main: Main, folder: Path) -> None:
    write_project(folder)
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--target", NEWER.id)
    assert ran.code == 0, ran.err
    lock = parse_toml((folder / "out/uv.lock").read_bytes(), "uv.lock")
    (fast,) = (package for package in lock["package"] if package["name"] == "fast")
    assert [wheel["path"] for wheel in fast["wheels"]] == [NEWER_FAST[0].file_name]
    assert ran.out.endswith("uv sync --frozen --offline --python 3.13\n")


@pytest.mark.parametrize(("chosen", "code"), [(LINUX, 0), (WINDOWS, 5)])
def test_bundle_may_lack_what_other_targets_need(
    main: Main, folder: Path, chosen: Target, code: int
) -> None:
    write_project(folder, edge("absent", marker="sys_platform == 'win32'"))
    ran = main("unpack", "bundle.tar.zst", "out", "--uv-lock", "p", "--target", chosen.id)
    assert ran.code == code, ran.err


def test_narrowed_manifest_is_one_that_could_be_signed(folder: Path, main: Main) -> None:
    main("unpack", "bundle.tar.zst", "out")
    manifest = parse((folder / "out/manifest.json").read_bytes())
    for chosen in ([LINUX.id], [LINUX.id, NEWER.id], [WINDOWS.id]):
        part = narrowed(manifest, chosen)
        assert parse(serialize(part)) == part


def test_all_targets_are_the_whole_manifest(folder: Path, main: Main) -> None:
    main("unpack", "bundle.tar.zst", "out")
    manifest = parse((folder / "out/manifest.json").read_bytes())
    assert narrowed(manifest, [t.id for t in manifest.targets]) == manifest
    assert narrowed(manifest, []) is manifest
