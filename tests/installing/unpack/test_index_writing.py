"""`bundle unpack --simple-index`: what it writes, and how it grows."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from support.making.archives import join_plain, plain_frames
from support.making.bundles import make_bundle, make_manifest, trust
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import Ran, tree
from support.running.ssh import fixed_key
from wheelferry_installer.unpack import index_writing
from wheelferry_installer.verify import policy
from wheelferry_installer.wheel.zip_directory import ZipEntry, read_directory

Main = Callable[..., Ran]
Grow = Callable[..., Ran]
Add = Callable[[Path], Ran]
ALICE = fixed_key("alice")
PURE = make_wheel("pure", metadata="Requires-Python: >=3.8,<4\n")
METADATA = b"Metadata-Version: 2.1\nName: pure\nVersion: 1.0\nRequires-Python: >=3.8,<4\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    return tmp_path


def bundle_of(folder: Path, *wheels: TinyWheel) -> Path:
    return make_bundle(folder / "bundle.tar.zst", wheels, keys=[ALICE])


@pytest.fixture
def add(main: Main) -> Callable[[Path], Ran]:
    """Adds a bundle to the index."""
    return lambda bundle: main("unpack", bundle, "--simple-index", "index")


@pytest.fixture
def grow(add: Add, folder: Path) -> Grow:
    """Adds a bundle of these wheels to the index."""
    return lambda *wheels: add(bundle_of(folder, *wheels))


def pages(folder: Path, project: str = "pure") -> str:
    return (folder / "index/simple" / project / "index.html").read_text(encoding="utf-8")


def page_json(folder: Path, project: str = "pure") -> dict[str, object]:
    data = (folder / "index/simple" / project / "index.json").read_bytes()
    page: dict[str, object] = json.loads(data)
    return page


def test_html_states_hash_python_and_metadata(grow: Grow, folder: Path) -> None:
    assert grow(PURE).code == 0
    (link,) = re.findall(r"<a .*</a>", pages(folder))
    metadata = hashlib.sha256(METADATA).hexdigest()
    assert link == (
        f'<a href="../../files/{PURE.file_name}#sha256={PURE.sha256}" '
        f'data-core-metadata="sha256={metadata}" data-dist-info-metadata="sha256={metadata}" '
        f'data-requires-python="&gt;=3.8,&lt;4">{PURE.file_name}</a>'
    )


def test_json_says_the_same(grow: Grow, folder: Path) -> None:
    grow(PURE)
    metadata = {"sha256": hashlib.sha256(METADATA).hexdigest()}
    assert page_json(folder) == {
        "meta": {"api-version": "1.1"},
        "name": "pure",
        "versions": ["1.0"],
        "files": [
            {
                "filename": PURE.file_name,
                "url": f"../../files/{PURE.file_name}",
                "hashes": {"sha256": PURE.sha256},
                "size": PURE.size,
                "requires-python": ">=3.8,<4",
                "core-metadata": metadata,
                "dist-info-metadata": metadata,
            }
        ],
    }


def test_files_are_wheels_and_their_metadata(grow: Grow, folder: Path) -> None:
    grow(PURE)
    assert (folder / "index/files" / PURE.file_name).read_bytes() == PURE.data
    metadata = folder / "index/files" / f"{PURE.file_name}.metadata"
    assert metadata.read_bytes() == METADATA


def test_each_wheel_is_opened_once(grow: Grow, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def read(file: BinaryIO, max_entries: int) -> tuple[list[ZipEntry], list[str]]:
        opened.append(file.name)
        return read_directory(file, max_entries)

    monkeypatch.setattr("wheelferry_installer.wheel.verified_wheel.read_directory", read)
    assert grow(PURE, make_wheel("other")).code == 0
    assert len(opened) == len(set(opened)) == 2


def test_metadata_that_no_server_should_send_is_named_with_all_else_that_is_wrong(
    grow: Grow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_writing, "_METADATA_LIMIT", 60)
    ran = grow(PURE, make_wheel("bad", record=""))
    assert ran.code == 4
    assert "METADATA is larger than 60 bytes" in ran.err
    assert "bad-1.0-py3-none-any.whl" in ran.err
    assert not (folder / "index").exists()


def test_root_lists_the_projects(grow: Grow, folder: Path) -> None:
    grow(PURE, make_wheel("other-one"))
    html = (folder / "index/simple/index.html").read_text(encoding="utf-8")
    assert re.findall(r'<a href="(.*)">(.*)</a>', html) == [
        ("other-one/", "other-one"),
        ("pure/", "pure"),
    ]
    listed = json.loads((folder / "index/simple/index.json").read_bytes())["projects"]
    assert [project["name"] for project in listed] == ["other-one", "pure"]


def test_metadata_cannot_add_to_the_page(grow: Grow, folder: Path) -> None:
    grow(make_wheel("pure", metadata='Requires-Python: >=3"><script>alert()</script>\n'))
    assert "<script" not in pages(folder)


def test_local_version_is_quoted_in_its_link(grow: Grow, folder: Path) -> None:
    local = make_wheel("pure", "1.0+cpu")
    grow(local)
    assert 'href="../../files/pure-1.0%2Bcpu-py3-none-any.whl#' in pages(folder)
    assert (folder / "index/files" / local.file_name).exists()


def test_second_bundle_only_adds(grow: Grow, folder: Path) -> None:
    grow(PURE, make_wheel("other"))
    before = tree(folder / "index/files")
    assert grow(make_wheel("pure", "1.10")).code == 0
    ran = grow(make_wheel("pure", "1.9"), make_wheel("other"), make_wheel("third"))
    assert "2 wheels added, 1 wheel was there already" in ran.out
    after = tree(folder / "index/files")
    assert {name: after[name] for name in before} == before
    assert page_json(folder)["versions"] == ["1.0", "1.9", "1.10"]
    assert sorted(path.name for path in (folder / "index/simple").iterdir() if path.is_dir()) == [
        "other",
        "pure",
        "third",
    ]


def test_same_bundle_again_changes_nothing(grow: Grow, folder: Path) -> None:
    grow(PURE, make_wheel("other"))
    before = tree(folder / "index")
    assert grow(PURE, make_wheel("other")).code == 0
    assert tree(folder / "index") == before


def test_order_of_bundles_does_not_matter(grow: Grow, folder: Path) -> None:
    other = make_wheel("pure", "2.0")
    for wheel in (PURE, other):
        grow(wheel)
    one = tree(folder / "index")
    (folder / "index").rename(folder / "first")
    for wheel in (other, PURE):
        grow(wheel)
    assert tree(folder / "index") == one


def test_next_run_ends_what_a_killed_one_began(grow: Grow, folder: Path) -> None:
    newer = make_wheel("pure", "2.0")
    for wheel in (PURE, newer):
        grow(wheel)
    whole = tree(folder / "index")
    (folder / "index").rename(folder / "whole")
    grow(PURE)
    newer.write(folder / "index/files")
    staging = folder / "index/.wheelferry/staging"
    staging.mkdir(parents=True)
    (staging / "half").touch()
    assert grow(newer).code == 0
    assert tree(folder / "index") == whole


def test_json_tells_what_was_added(main: Main, folder: Path) -> None:
    ran = main("unpack", "--json", bundle_of(folder, PURE), "--simple-index", "index")
    data = json.loads(ran.out)
    assert (data["folder"], data["added"], data["present"]) == ("index", 1, 0)


def test_tampered_bundle_leaves_the_index_as_it_was(grow: Grow, add: Add, folder: Path) -> None:
    grow(PURE)
    bundle = bundle_of(folder, make_wheel("other"))
    frames = plain_frames(bundle.read_bytes())
    frames[-2] = frames[-2][:600] + bytes([frames[-2][600] ^ 1]) + frames[-2][601:]
    bundle.write_bytes(join_plain(frames))
    before = tree(folder / "index")
    assert (add(bundle).code, tree(folder / "index")) == (4, before)


def test_other_file_of_that_name_is_refused(grow: Grow, folder: Path) -> None:
    grow(PURE, make_wheel("other"))
    before = tree(folder / "index")
    ran = grow(make_wheel("added"), make_wheel("other", files={"x.py": b""}), make_wheel("pure"))
    assert (ran.code, tree(folder / "index")) == (8, before)
    assert ran.err.splitlines()[1:3] == [
        "  other-1.0-py3-none-any.whl is there with another content",
        "  pure-1.0-py3-none-any.whl is there with another content",
    ]


def test_other_build_of_the_same_version_is_named_and_the_rest_added(
    add: Add, folder: Path
) -> None:
    def built(*wheels: TinyWheel) -> Path:
        packages = tuple(
            package.replaced(source=package.source.replaced(kind="directory", built=True))
            for package in make_manifest(wheels).packages
        )
        return make_bundle(folder / "bundle.tar.zst", wheels, keys=[ALICE], packages=packages)

    add(built(PURE, make_wheel("mine")))
    before = tree(folder / "index")
    ran = add(built(PURE, make_wheel("mine", files={"x.py": b""}), make_wheel("other")))
    assert ran.code == 0
    assert "index: 1 wheel added, 1 wheel was there already\n" in ran.out
    assert "mine-1.0-py3-none-any.whl is there already, from another build" in ran.err
    assert "--no-install-project" in ran.err
    after = tree(folder / "index")
    assert {path: after[path] for path in before if "mine" in path} == {
        path: before[path] for path in before if "mine" in path
    }
    assert "files/other-1.0-py3-none-any.whl" in after


def test_folder_that_is_no_index_is_refused(grow: Grow, folder: Path) -> None:
    (folder / "index").mkdir()
    (folder / "index/mine").touch()
    ran = grow(PURE)
    assert (ran.code, [path.name for path in (folder / "index").iterdir()]) == (8, ["mine"])
    assert "neither empty nor an index" in ran.err


@pytest.mark.parametrize("page", ["simple/index.json", "simple/pure/index.json"])
@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"files": [{}], "projects": [{}]}', b'{"files": 1}']
)
def test_page_that_is_not_ours_is_refused(grow: Grow, folder: Path, page: str, data: bytes) -> None:
    grow(PURE)
    (folder / "index" / page).write_bytes(data)
    before = tree(folder / "index")
    ran = grow(make_wheel("pure", "2.0"))
    assert (ran.code, tree(folder / "index")) == (4, before)
    assert page in ran.err


def test_broken_page_is_not_blamed_on_the_bundle(grow: Grow, folder: Path) -> None:
    grow(PURE, make_wheel("other"))
    for project in ("pure", "other"):
        (folder / "index/simple" / project / "index.json").write_bytes(b"[]")
    ran = grow(make_wheel("pure", "2.0"), make_wheel("other", "2.0"))
    assert ran.code == 4
    assert "index.json is not a page that wheelferry wrote" in ran.err
    assert "bundle" not in ran.err.splitlines()[0]


@pytest.mark.parametrize("moves", range(8))
def test_failure_at_any_move_takes_all_back(
    grow: Grow, add: Add, folder: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    grow(PURE)
    bundle = bundle_of(folder, make_wheel("pure", "2.0"), make_wheel("new"))
    before = tree(folder / "index")
    real, left = os.replace, [moves]

    def fail_once(source: str, target: str, **options: int) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise OSError(28, os.strerror(28))
        real(source, target, **options)

    monkeypatch.setattr(os, "replace", fail_once)
    ran = add(bundle)
    assert (ran.code, tree(folder / "index")) == (7, before)


def test_refuses_while_another_run_works_on_it(
    grow: Grow, add: Add, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(PURE)
    bundle = bundle_of(folder, make_wheel("second"))
    refused = []
    real = os.replace

    def other_run(source: str, target: str, **options: int) -> None:
        monkeypatch.setattr(os, "replace", real)
        refused.append(add(bundle))
        real(source, target, **options)

    monkeypatch.setattr(os, "replace", other_run)
    assert add(bundle).code == 0
    assert [ran.code for ran in refused] == [8]
    assert "another run is working on" in refused[0].err


@pytest.mark.parametrize("linked", ["files", "simple", "simple/pure", "simple/index.html"])
def test_planted_link_is_not_followed(grow: Grow, add: Add, folder: Path, linked: str) -> None:
    grow(PURE)
    (folder / "index" / linked).rename(folder / "elsewhere")
    (folder / "index" / linked).symlink_to(folder / "elsewhere")
    bundle = bundle_of(folder, make_wheel("pure", "2.0"))
    before = tree(folder)
    ran = add(bundle)
    assert ran.code == 8
    assert f"{linked} is a link" in ran.err
    assert tree(folder) == before


def test_linked_control_folder_is_not_followed(grow: Grow, add: Add, folder: Path) -> None:
    grow(PURE)
    (folder / "victim/staging").mkdir(parents=True)
    (folder / "index/.wheelferry").symlink_to("../victim")
    ran = add(bundle_of(folder, make_wheel("pure", "2.0")))
    assert ran.code == 8
    assert "is a symbolic link" in ran.err
    assert (folder / "victim/staging").is_dir()
