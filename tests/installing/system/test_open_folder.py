"""What lies below an open folder is reached without following any link."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wheelferry_installer.system import open_folder
from wheelferry_installer.system.open_folder import NotPlainError, OpenFolder, opened


@pytest.fixture(params=["by descriptors", "by paths"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenFolder]:
    """A folder beside one that links in it lead to; in both ways that systems offer."""
    monkeypatch.setattr(open_folder, "RELATIVE", request.param == "by descriptors")
    (tmp_path / "outside/inner").mkdir(parents=True)
    (tmp_path / "outside/file").write_bytes(b"theirs")
    (tmp_path / "ours/a/b").mkdir(parents=True)
    (tmp_path / "ours/up").symlink_to("../outside")
    (tmp_path / "ours/a/out").symlink_to("../../outside")
    (tmp_path / "ours/leaf").symlink_to("../outside/file")
    with opened(tmp_path / "ours") as folder:
        yield folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside"


def test_nothing_is_there_behind_a_link(folder: OpenFolder) -> None:
    assert folder.has("a/b")
    assert folder.has("up")
    assert not folder.has("up/file")
    assert not folder.has("a/out/file")
    assert not folder.has_folder("up")
    assert folder.names("up") == []


def test_first_link_on_the_way_is_found(folder: OpenFolder) -> None:
    assert folder.first_link("up/inner/x") == "up"
    assert folder.first_link("a/out/x") == "a/out"
    assert folder.first_link("a/b/x") is None
    assert folder.first_link("leaf") is None
    assert folder.first_link("absent/x") is None


@pytest.mark.parametrize(
    "do",
    [
        lambda folder: folder.write("up/new", b"ours", sync=False),
        lambda folder: folder.read("up/file"),
        lambda folder: folder.rename("up/file", folder, "taken"),
        lambda folder: folder.rename("leaf", folder, "up/leaf"),
        lambda folder: folder.make("up/made"),
        lambda folder: folder.unlink("up/file"),
        lambda folder: folder.chmod("up/inner", 0o700),
    ],
)
def test_changes_nothing_behind_a_link(
    folder: OpenFolder, outside: Path, do: Callable[[OpenFolder], object]
) -> None:
    with pytest.raises(NotADirectoryError):
        do(folder)
    assert sorted(os.listdir(outside)) == ["file", "inner"]
    assert (outside / "file").read_bytes() == b"theirs"


def test_link_is_removed_and_not_what_it_leads_to(folder: OpenFolder, outside: Path) -> None:
    folder.remove("up")
    folder.remove("a")
    folder.remove("up")
    assert folder.names() == ["leaf"]
    assert sorted(os.listdir(outside)) == ["file", "inner"]


def test_folder_with_files_is_removed(folder: OpenFolder) -> None:
    folder.write("a/b/file", b"", sync=False)
    folder.remove("a")
    assert not folder.has("a")


def test_link_is_not_read(folder: OpenFolder) -> None:
    with pytest.raises(NotPlainError, match="symbolic link"):
        folder.read("leaf")


def test_link_is_replaced_by_what_is_written(folder: OpenFolder, outside: Path) -> None:
    folder.write("leaf", b"ours", sync=True)
    assert folder.read("leaf") == b"ours"
    assert (outside / "file").read_bytes() == b"theirs"


def test_half_written_link_is_not_followed(folder: OpenFolder, outside: Path) -> None:
    (folder.path / "new.unfinished").symlink_to(outside / "file")
    folder.write("new", b"ours", sync=False)
    assert (outside / "file").read_bytes() == b"theirs"


def test_pipe_is_no_file(folder: OpenFolder) -> None:
    os.mkfifo(folder.path / "pipe")
    with pytest.raises(NotPlainError, match="not a plain file"):
        folder.read("pipe")


def test_neighbours_are_found_when_their_folder_was_made_anew(folder: OpenFolder) -> None:
    folder.write("a/b/file", b"1", sync=False)
    folder.remove("a/b")
    folder.make("a/b")
    folder.write("a/b/file", b"2", sync=False)
    assert folder.read("a/b/file") == b"2"


def test_link_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError), opened(tmp_path / "link"):
        pass
