"""Changes to a tree of others, as one step: whatever happens, it is the old or the new tree."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.running.command import tree
from support.running.crashes import run_killed
from wheelferry_installer.environment import tree_changes
from wheelferry_installer.environment.tree_changes import Changes
from wheelferry_installer.environment.tree_journal import is_unfinished, locked
from wheelferry_installer.system import disk
from wheelferry_installer.system.open_folder import OpenFolder
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
        planned = tree_changes.compute(root, journal.staging, set(OLD), {"."}, keep=keep)
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
        planned = tree_changes.compute(root, journal.staging, set(OLD), {"."}, keep=True)
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
    with pytest.raises(ConflictError, match="nothing is kept to undo"):
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

    def fail(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(5, "Input/output error")
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, fail)


@pytest.mark.parametrize("number", range(1, 15))
def test_update_that_fails_is_undone(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = contents(root)
    fail_at(monkeypatch, os, "replace", number)
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
    fail_at(monkeypatch, os, "replace", number)
    with pytest.raises(OSError, match="Input/output error"):
        rollback(root)
    assert contents(root) == before
    assert kept(root) == {"previous"}


@pytest.mark.parametrize(("owner", "name"), [(disk, "sync_file_system"), (OpenFolder, "sync")])
@pytest.mark.parametrize("number", [1, 2])
def test_flush_that_fails_undoes_the_update(
    root: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int
) -> None:
    before = contents(root)
    fail_at(monkeypatch, owner, name, number)
    with pytest.raises(OSError, match="Input/output error"):
        update(root)
    assert contents(root) == before
    assert kept(root) == set()


def test_failure_that_cannot_be_undone_is_told_of(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(root)
    real = os.replace

    def fail_halfway(source: str, target: str, **options: int) -> None:
        if (root / CONTROL / "applying/old/3").exists():
            raise OSError(30, "Read-only file system")
        real(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail_halfway)
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


ONE = b'{"path": "x", "size": %b, "modified": 1}'
JOURNAL = b'{"taken": [%b], "removed": [%b], "made": [], "put": [], "keep": true}'
SENSELESS = [
    b"",
    b"[]",
    b'{"taken": []}',
    JOURNAL % (ONE % b"1e999", b""),
    JOURNAL % (ONE % b"true", b""),
    JOURNAL % (b"", b'["x", 1e999]'),
    JOURNAL % (b"", b'["x", 99999999999999999999999]'),
    JOURNAL % (b'{"path": "../x", "size": 1, "modified": 1}', b""),
    b"[" * 100_000,
    b'{"taken": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]


@pytest.mark.parametrize("name", ["applying", "committed", "undoing", "redoing"])
@pytest.mark.parametrize("data", SENSELESS)
def test_journal_that_makes_no_sense_is_not_followed(root: Path, name: str, data: bytes) -> None:
    (root / CONTROL / name).mkdir(parents=True)
    (root / CONTROL / name / "changes.json").write_bytes(data)
    before = contents(root)
    with pytest.raises(ConflictError, match="describes a change that does not fit") as caught:
        settle(root)
    assert contents(root) == before
    assert f"mv {root / CONTROL / name} " in str(caught.value.hint)


def test_journal_that_was_put_aside_is_in_nobodys_way(root: Path) -> None:
    (root / CONTROL / "applying").mkdir(parents=True)
    with pytest.raises(ConflictError) as caught:
        settle(root)
    command = str(caught.value.hint).partition(": ")[2]
    subprocess.run(shlex.split(command), check=True)
    update(root)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", 1, "", ".", "a//b", "a/", "./a", "a\0b"]
)
def test_journal_does_not_reach_out_of_the_tree(path: object) -> None:
    file = {"path": path, "size": 1, "modified": 1}
    raw = {"taken": [], "removed": [], "made": [], "put": [file], "keep": True}
    with pytest.raises(MalformedError):
        tree_changes.parse(json.dumps(raw).encode())


def test_changes_are_read_as_they_were_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "staged").mkdir()
    write(tmp_path / "staged", NEW)
    planned: Changes = tree_changes.compute(root, tmp_path / "staged", set(OLD), {"."}, keep=True)
    assert tree_changes.parse(planned.serialize()) == planned


def test_journal_says_whether_something_is_left_to_do(root: Path) -> None:
    assert not is_unfinished(root / CONTROL)
    (root / CONTROL / "applying").mkdir(parents=True)
    assert is_unfinished(root / CONTROL)


# What a journal says is data from a stranger: it may have come with the tree.


def plant(root: Path, name: str, **planned: object) -> None:
    """Put a journal and its folders beside a tree."""
    for folder in ("old", "new"):
        (root / CONTROL / name / folder).mkdir(parents=True)
    raw = {"taken": [], "removed": [], "made": [], "put": [], "keep": True, **planned}
    (root / CONTROL / name / "changes.json").write_text(json.dumps(raw))


def described(path: Path, name: str) -> dict[str, object]:
    status = path.lstat()
    return {"path": name, "size": status.st_size, "modified": status.st_mtime_ns}


@pytest.fixture
def victim(root: Path) -> Path:
    """A folder outside of the tree, to which a link in it leads."""
    write(root.with_name("victim"), {"file": b"mine", "sub/x": b"mine"})
    (root / "up").symlink_to("../victim")
    (root / "file-link").symlink_to("../victim/file")
    return root.with_name("victim")


def refuses(root: Path, victim: Path, do: Callable[[Path], None] = settle) -> str:
    """Check that nothing is changed, in the tree and outside; returns what is said."""
    before, theirs = tree(root), tree(victim)
    with pytest.raises(ConflictError) as caught:
        do(root)
    after = {path: what for path, what in tree(root).items() if "lock" not in path}
    assert {**after, f"{CONTROL}/.gitignore": None} == {**before, f"{CONTROL}/.gitignore": None}
    assert tree(victim) == theirs
    return str(caught.value)


@pytest.mark.parametrize("name", ["applying", "undoing", "redoing"])
def test_file_is_not_put_back_through_a_link(root: Path, victim: Path, name: str) -> None:
    plant(root, name, taken=[{"path": "up/file", "size": 4, "modified": 1}])
    (root / CONTROL / name / "old/0").write_text("EVIL")
    os.utime(root / CONTROL / name / "old/0", ns=(1, 1))
    assert "up is a link" in refuses(root, victim)


@pytest.mark.parametrize("name", ["applying", "undoing", "redoing"])
def test_file_is_not_taken_through_a_link(root: Path, victim: Path, name: str) -> None:
    planned = [described(victim / "file", "up/file")]
    plant(root, name, taken=planned, put=planned)
    assert "up is a link" in refuses(root, victim)


@pytest.mark.parametrize("part", ["made", "removed"])
@pytest.mark.parametrize("name", ["applying", "redoing"])
@pytest.mark.parametrize("folder", ["up", "up/sub"])
def test_folder_is_not_reached_through_a_link(
    root: Path, victim: Path, name: str, part: str, folder: str
) -> None:
    plant(root, name, **{part: [folder if part == "made" else (folder, 0o777)]})
    assert "up is a link" in refuses(root, victim)


@pytest.mark.parametrize("part", ["old", "new"])
def test_what_was_put_aside_is_not_reached_through_a_link(
    root: Path, victim: Path, part: str
) -> None:
    plant(root, "applying", taken=[described(victim / "file", "come")])
    (root / CONTROL / "applying" / part).rmdir()
    (root / CONTROL / "applying" / part).symlink_to(victim)
    assert f"applying/{part} is not a folder" in refuses(root, victim)


def test_journal_is_not_reached_through_a_link(root: Path, victim: Path) -> None:
    plant(root, "applying")
    (root / CONTROL / "applying").rename(victim / "applying")
    (root / CONTROL / "applying").symlink_to(victim / "applying")
    assert "changes.json cannot be read" in refuses(root, victim)


def test_file_of_another_size_or_time_is_not_put_back(root: Path, victim: Path) -> None:
    plant(root, "applying", taken=[{"path": "both", "size": 0, "modified": 0}])
    (root / CONTROL / "applying/old/0").write_text("EVIL")
    assert "applying/old/0 is not what both was" in refuses(root, victim)


def test_file_that_was_edited_since_the_crash_is_not_taken_away(root: Path, victim: Path) -> None:
    plant(root, "applying", put=[{"path": "both", "size": 0, "modified": 0}])
    assert "both was changed" in refuses(root, victim)


@pytest.mark.parametrize("way", ["previous", "undone"])
def test_way_back_does_not_lead_through_a_link(root: Path, victim: Path, way: str) -> None:
    plant(root, way, made=["up"], removed=[("up", 0o777)])
    assert "up is a link" in refuses(root, victim, rollback)


def test_way_back_puts_nothing_back_that_is_not_what_was_taken(root: Path, victim: Path) -> None:
    plant(root, "previous", taken=[{"path": "come", "size": 0, "modified": 0}])
    (root / CONTROL / "previous/old/0").write_text("EVIL")
    assert "previous/old/0 is not what come was" in refuses(root, victim, rollback)


def test_update_does_not_go_through_a_link(root: Path, victim: Path) -> None:
    def update_through_link(root: Path) -> None:
        with locked(root, root / CONTROL, None) as journal:
            journal.begin()
            write(journal.staging, {"up/file": b"new"})
            planned = tree_changes.compute(root, journal.staging, set(), {"."}, keep=True)
            journal.apply(planned, sync=False)

    assert "up is a link" in refuses(root, victim, update_through_link)


def test_compiled_modules_behind_a_link_stay(root: Path, victim: Path) -> None:
    with locked(root, root / CONTROL, None) as journal:
        journal.begin()
        write(journal.staging, {"module.py": b""})
        planned = tree_changes.compute(root, journal.staging, set(), {"."}, keep=True)
        journal.apply(planned, sync=False)
    write(victim, {"module.cpython-311.pyc": b"mine"})
    (root / "__pycache__").symlink_to(victim)
    rollback(root)
    assert (victim / "module.cpython-311.pyc").exists()
