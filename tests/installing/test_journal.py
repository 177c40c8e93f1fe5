"""Changes to a tree of others, as one step: whatever happens, it is the old or the new tree."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import tree
from support.crashes import run_killed
from wheelferry_installer import changes, disk
from wheelferry_installer.changes import Changes
from wheelferry_installer.journal import Journal, locked
from wheelferry_schemas.errors import ConflictError, MalformedError, TransferError

OLD = {
    "both": b"old",
    "gone": b"old",
    "folder/a": b"old",
    "folder/sub/b": b"old",
    "file-then-folder": b"old",
    "folder-then-file/x": b"old",
}
NEW = {
    "both": b"new",
    "come": b"new",
    "other/a": b"new",
    "other/sub/b": b"new",
    "file-then-folder/x": b"new",
    "folder-then-file": b"new",
}
UNTOUCHED = {"stays": b"", "shared/mine": b""}
CONTROL = ".control"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with the old files, and others that are nobody's business."""
    root = tmp_path / "root"
    write(root, {**OLD, **UNTOUCHED})
    (root / "folder/sub").chmod(0o750)
    return root


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def update(root: Path, *, keep: bool = True) -> None:
    """Replace the old files by the new ones."""
    with locked(root, root / CONTROL, None) as journal:
        journal.begin()
        write(journal.staging, NEW)
        planned = changes.compute(root, journal.staging, set(OLD), {"."}, keep=keep)
        journal.apply(planned, sync=True)


def rollback(root: Path) -> None:
    with locked(root, root / CONTROL, None) as journal:
        journal.rollback(sync=True)


def settle(root: Path) -> None:
    """Do what the next command does first."""
    with locked(root, root / CONTROL, None):
        pass


def contents(root: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return the tree without what belongs to the journal."""
    return {path: what for path, what in tree(root).items() if not path.startswith(CONTROL)}


def kept(root: Path) -> set[str]:
    """Return what the journal keeps."""
    control = root / CONTROL
    return set(os.listdir(control)) - {"lock", ".gitignore"} if control.exists() else set()


def test_files_come_and_go(root: Path) -> None:
    update(root)
    files = {path: data for path, (kind, _, data) in contents(root).items() if kind == "file"}
    assert files == {**NEW, **UNTOUCHED}


def test_folders_that_became_empty_go(root: Path) -> None:
    update(root)
    assert not (root / "folder").exists()


def test_folder_into_which_somebody_writes_meanwhile_stays(root: Path) -> None:
    with locked(root, root / CONTROL, None) as journal:
        journal.begin()
        planned = changes.compute(root, journal.staging, set(OLD), {"."}, keep=True)
        (root / "folder/sub/late").write_text("")
        journal.apply(planned, sync=False)
    assert os.listdir(root / "folder/sub") == ["late"]


def test_way_back_is_kept(root: Path) -> None:
    before = contents(root)
    update(root)
    assert kept(root) == {"previous"}
    rollback(root)
    assert contents(root) == before
    assert kept(root) == {"undone"}


def test_way_back_leads_forward_again(root: Path) -> None:
    update(root)
    after = contents(root)
    rollback(root)
    rollback(root)
    assert contents(root) == after
    assert kept(root) == {"previous"}


def test_without_a_way_back_nothing_is_left(root: Path) -> None:
    update(root, keep=False)
    assert kept(root) == set()
    with pytest.raises(ConflictError, match="no way back"):
        rollback(root)


def test_links_are_moved_and_not_followed(root: Path, tmp_path: Path) -> None:
    (root / "both").unlink()
    (root / "both").symlink_to(tmp_path / "nowhere")
    update(root)
    rollback(root)
    assert os.readlink(root / "both") == str(tmp_path / "nowhere")


def test_exception_before_changes_leaves_nothing(root: Path) -> None:
    before = tree(root)

    def fail_while_staging() -> None:
        with locked(root, root / CONTROL, None) as journal:
            journal.begin()
            write(journal.staging, NEW)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_while_staging()
    assert tree(root) == before


def fail_at(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int) -> None:
    """Let one call of a function fail."""
    real = getattr(owner, name)
    calls = 0

    def fail(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(5, "Input/output error")
        return real(*arguments)

    monkeypatch.setattr(owner, name, fail)


@pytest.mark.parametrize("number", range(1, 15))
def test_update_that_fails_is_undone(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = contents(root)
    fail_at(monkeypatch, os, "rename", number)
    with pytest.raises(OSError, match="Input/output error"):
        update(root)
    assert contents(root) == before
    assert kept(root) == set()


@pytest.mark.parametrize("number", range(1, 15))
def test_rollback_that_fails_is_undone(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    update(root)
    before = contents(root)
    fail_at(monkeypatch, os, "rename", number)
    with pytest.raises(OSError, match="Input/output error"):
        rollback(root)
    assert contents(root) == before
    assert kept(root) == {"previous"}


@pytest.mark.parametrize("name", ["sync_file_system", "sync_folder"])
@pytest.mark.parametrize("number", [1, 2])
def test_flush_that_fails_undoes_the_update(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    before = contents(root)
    fail_at(monkeypatch, disk, name, number)
    with pytest.raises(OSError, match="Input/output error"):
        update(root)
    assert contents(root) == before
    assert kept(root) == set()


def test_failure_that_cannot_be_undone_is_told_of(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(root)
    real = os.rename

    def fail_halfway(source: Path, target: Path) -> None:
        if (root / CONTROL / "applying/old/3").exists():
            raise OSError(30, "Read-only file system")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail_halfway)
        with pytest.raises(TransferError, match="changed only in part"):
            update(root)
    settle(root)
    assert contents(root) == before


def killed_everywhere(
    root: Path, action: Callable[[Path], None], prepare: Callable[[Path], None]
) -> list[bool]:
    """Kill an action at each of its changes; returns whether the tree was new afterwards."""
    prepare(root)
    saved = root.with_name("saved")
    shutil.copytree(root, saved, symlinks=True)
    old = contents(root)
    action(root)
    new = contents(root)
    ends: list[bool] = []
    at = 1
    while True:
        shutil.rmtree(root)
        shutil.copytree(saved, root, symlinks=True)
        if not run_killed(lambda: action(root), at):
            return ends
        settle(root)
        assert contents(root) in (old, new)
        assert kept(root) <= {"previous", "undone"}
        ends.append(contents(root) == new)
        at += 1


def nothing(root: Path) -> None:
    del root


def test_update_killed_anywhere_is_done_or_not(root: Path) -> None:
    ends = killed_everywhere(root, update, nothing)
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


def test_rollback_killed_anywhere_is_done_or_not(root: Path) -> None:
    ends = killed_everywhere(root, rollback, update)
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


def test_rollback_of_a_rollback_killed_anywhere_is_done_or_not(root: Path) -> None:
    def prepare(root: Path) -> None:
        update(root)
        rollback(root)

    ends = killed_everywhere(root, rollback, prepare)
    assert set(ends) == {False, True}


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"taken": []}', b'{"taken": [{"path": "../x", "size": 1, "modified": 1}]}'],
)
def test_journal_that_makes_no_sense_is_not_followed(root: Path, data: bytes) -> None:
    (root / CONTROL / "applying").mkdir(parents=True)
    (root / CONTROL / "applying/changes.json").write_bytes(data)
    before = contents(root)
    with pytest.raises(MalformedError):
        settle(root)
    assert contents(root) == before


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", 1])
def test_journal_does_not_reach_out_of_the_tree(path: object) -> None:
    file = {"path": path, "size": 1, "modified": 1}
    raw = {"taken": [], "removed": [], "made": [], "put": [file], "keep": True}
    with pytest.raises(MalformedError):
        changes.parse(json.dumps(raw).encode())


def test_changes_are_read_as_they_were_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "staged").mkdir()
    write(tmp_path / "staged", NEW)
    planned: Changes = changes.compute(root, tmp_path / "staged", set(OLD), {"."}, keep=True)
    assert changes.parse(planned.serialize()) == planned


def test_journal_says_whether_something_is_left_to_do(root: Path) -> None:
    journal = Journal(root=root, control=root / CONTROL)
    assert not journal.unfinished
    (root / CONTROL / "applying").mkdir(parents=True)
    assert journal.unfinished
