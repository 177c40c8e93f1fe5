"""Changes an existing tree in one step: after a crash at any instant the next run completes it.

The control folder of a tree holds at most one folder of each of these names. A transaction goes
from one to the next by a rename, so that its name says what is to be done with it:

- `staging`: files are being written, and nothing has happened yet. It goes.
- `applying`: the tree is being changed. What was done is undone, and it goes.
- `committed`: the tree has changed. It becomes `previous`, and what was that before goes.
- `previous`: the way back from the last change.
- `undoing`: the tree is being changed back. That is finished, and it becomes `undone`.
- `undone`: the way forward again.
- `redoing`: the tree is being changed once more. That is finished, and it becomes `previous`.

In each of them `changes.json` says what is done; `new` holds the files that come, and `old` those
that go, for as long as they are not in the tree. Where a file lies tells whether its step was done,
so that every step can be repeated.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.environment import journal_checks, tree_changes
from wheelferry_installer.environment.tree_changes import Changes, Reversal
from wheelferry_installer.system import disk, folder_lock, open_folder, own_folder, signals
from wheelferry_installer.system.open_folder import NotPlainError, OpenFolder
from wheelferry_schemas.errors import ConflictError, MalformedError, TransferError

_CHANGES = "changes.json"
_REPLAYED = ("applying", "undoing", "redoing")
_UNFINISHED = ("staging", *_REPLAYED, "committed", "discarded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The transactions of a tree; the lock of the folder `control` is held.

    A child process that gets the descriptors in `lock` holds the lock with this one.
    """

    tree: OpenFolder
    control: OpenFolder
    lock: tuple[int, ...] = ()

    @property
    def root(self) -> Path:
        """The root of the tree."""
        return self.tree.path

    @property
    def staging(self) -> Path:
        """Where new files are written, laid out as they will be below the root."""
        return self.control.path / "staging" / "new"

    @property
    def unfinished(self) -> bool:
        """Whether a run before this one left something to finish, to undo or to tidy up."""
        return any(map(self._is, _UNFINISHED))

    def begin(self) -> None:
        """Make the folders of a transaction."""
        for folder in ("staging", "staging/new", "staging/old"):
            self.control.make(folder)

    def apply(self, planned: Changes, *, sync: bool) -> None:
        """Do what is planned: all of it, or nothing and raise `OSError`."""
        self._refuse_links(planned)
        own_folder.refuse_moved(self.control)
        self.control.write(f"staging/{_CHANGES}", planned.serialize(), sync=False)
        self._flush(sync=sync)
        signals.ignore()
        try:
            self._go("staging", "applying", sync=sync)
            self._forward("applying", planned)
            self._flush(sync=sync)
            self._go("applying", "committed", sync=sync)
        except OSError:
            self._take_back(("committed",), "applying")
            raise
        self._tidy()

    def rollback(self, *, sync: bool) -> None:
        """Undo the last change, or do it again where it was undone.

        Raises `ConflictError` as `reversal` does.
        """
        reversal = self.reversal()
        way, planned = reversal.way, reversal.planned
        unfinished, done, reverse = "undoing", "undone", "redoing"
        if not reversal.back:
            unfinished, done, reverse = reverse, "previous", unfinished
        self._remove_compiled(planned, back=reversal.back)
        signals.ignore()
        try:
            self._go(way, unfinished, sync=sync)
            self._finish(unfinished, planned, sync=sync)
        except OSError:
            self._take_back((unfinished, done), reverse)
            raise
        self._tidy()

    def reversal(self) -> Reversal:
        """Return what a rollback does.

        Raises `ConflictError` where no change is kept, or where its files were changed since.
        """
        way = next(filter(self._is, ("previous", "undone")), None)
        if way is None:
            raise ConflictError(
                f"nothing is kept to undo the last change of {self.root}",
                hint="install the older bundle with --allow-downgrade",
            )
        reversal = Reversal(way=way, planned=self._read(way))
        self._refuse_changed(reversal.planned, back=reversal.back)
        journal_checks.check(reversal.planned, way, self.tree, self.control)
        return reversal

    def recover(self) -> None:
        """Finish or undo what a run before this one left.

        Raises `ConflictError`, before anything was changed, where its journal does not fit the
        tree.
        """
        left = {name: self._read(name) for name in _REPLAYED if self._is(name)}
        for name, planned in left.items():
            journal_checks.check(planned, name, self.tree, self.control)
        for name, planned in left.items():
            if name == "applying":
                self._backward(name, planned)
                self._flush(sync=True)
                self._go(name, "discarded", sync=True)
            else:
                self._finish(name, planned, sync=True)
        if self._is("committed"):
            keep = self._read("committed").keep
            for superseded in ("previous", "undone"):
                self._discard(superseded)
            if keep:
                self._go("committed", "previous", sync=False)
            else:
                self._discard("committed")
        self.control.remove("staging")
        self.control.remove("discarded")

    def _is(self, name: str) -> bool:
        return self.control.has(name)

    def _read(self, name: str) -> Changes:
        path = f"{name}/{_CHANGES}"
        try:
            return tree_changes.parse(self.control.read(path))
        except (FileNotFoundError, NotADirectoryError, NotPlainError, MalformedError) as error:
            problems = [f"{path} cannot be read"]
            raise journal_checks.refused(self.control.path / name, self.root, problems) from error

    def _flush(self, *, sync: bool) -> None:
        if sync:
            disk.sync_file_system(self.control.path)

    def _go(self, name: str, target: str, *, sync: bool) -> None:
        self.control.rename(name, self.control, target)
        if sync:
            self.control.sync()

    def _finish(self, name: str, planned: Changes, *, sync: bool) -> None:
        if name == "undoing":
            self._backward(name, planned)
        else:
            self._forward(name, planned)
        self._flush(sync=sync)
        self._go(name, "undone" if name == "undoing" else "previous", sync=sync)

    def _discard(self, name: str) -> None:
        if self._is(name):
            self.control.remove("discarded")
            self.control.rename(name, self.control, "discarded")

    def _tidy(self) -> None:
        # What was to be done is done; what cannot be tidied up now, the next run does.
        with contextlib.suppress(OSError):
            self.recover()

    def _take_back(self, states: tuple[str, ...], reverse: str) -> None:
        """Go back from whichever state was reached."""
        try:
            for state in filter(self._is, states):
                self.control.rename(state, self.control, reverse)
            self.recover()
        except OSError as error:
            raise TransferError(
                f"{self.root} was changed only in part: {error.strerror or error}",
                hint="see to the disk; then the next command of wheelferry on it puts that right",
            ) from error

    def _forward(self, name: str, planned: Changes) -> None:
        tree, control = self.tree, self.control
        put = {file.path for file in planned.put}
        for number, file in enumerate(planned.taken):
            old = f"{name}/old/{number}"
            # Where the successor is no longer in `new`, the file went before that came.
            successor_came = file.path in put and not control.has(f"{name}/new/{file.path}")
            if not successor_came and not control.has(old):
                _move(tree, file.path, control, old)
        for folder, _ in planned.removed:
            tree.remove_empty(folder)
        for folder in planned.made:
            tree.make(folder)
        for file in planned.put:
            new = f"{name}/new/{file.path}"
            if control.has(new):
                control.rename(new, tree, file.path)

    def _backward(self, name: str, planned: Changes) -> None:
        tree, control = self.tree, self.control
        numbers = {file.path: str(number) for number, file in enumerate(planned.taken)}
        for file in reversed(planned.put):
            # Where the predecessor is no longer in `old`, the file went before that came back.
            number = numbers.get(file.path)
            predecessor_came = number is not None and not control.has(f"{name}/old/{number}")
            new = f"{name}/new/{file.path}"
            if not predecessor_came and not control.has(new):
                _move(tree, file.path, control, new)
        for folder in reversed(planned.made):
            tree.remove_empty(folder)
        for folder, mode in reversed(planned.removed):
            tree.make(folder)
            tree.chmod(folder, mode)
        for path, number in numbers.items():
            old = f"{name}/old/{number}"
            if control.has(old):
                control.rename(old, tree, path)

    def _refuse_links(self, planned: Changes) -> None:
        problems = journal_checks.links(planned, self.tree)
        if problems:
            raise ConflictError(
                f"{self.root} cannot be changed through links",
                details=problems,
                hint="replace each link by a real folder",
            )

    def _refuse_changed(self, planned: Changes, *, back: bool) -> None:
        """Refuse to reverse what others have changed since; the `ConflictError` names all files."""
        there, away = (planned.put, planned.taken) if back else (planned.taken, planned.put)
        paths = {file.path for file in there}
        folders = set(planned.made) if back else {folder for folder, _ in planned.removed}
        problems = [
            f"{file.path} was changed or removed"
            for file in there
            if not file.is_that(self.tree.status(file.path))
        ]
        problems += [
            f"{file.path} came since"
            for file in away
            if file.path not in paths | folders and self.tree.has(file.path)
        ]
        if problems:
            raise ConflictError(
                f"{self.root} was changed by others since",
                details=problems,
                hint="install the bundle that you want to have, with --reinstall and --force",
            )

    def _remove_compiled(self, planned: Changes, *, back: bool) -> None:
        """Remove what Python has compiled since of the files that go."""
        paths = {file.path for file in (planned.put if back else planned.taken)}
        for path in tree_changes.cached_modules(self.root, sorted(paths)):
            if path not in paths:
                with contextlib.suppress(FileNotFoundError):
                    self.tree.unlink(path)
                self.tree.remove_empty(path.rpartition("/")[0])


@contextlib.contextmanager
def looked_at(root: Path, control: Path) -> Iterator[Journal]:
    """Open a tree and its control folder only to look; nothing is locked or recovered.

    Raises `FileNotFoundError` where one of them is not there, and `ConflictError` where the latter
    is not ours.
    """
    with own_folder.found(control) as held, open_folder.opened(root) as tree:
        yield Journal(tree=tree, control=held)


@contextlib.contextmanager
def locked(root: Path, control: Path, on_wait: Callable[[], None] | None) -> Iterator[Journal]:
    """Hold the lock of a tree, complete what crashed runs left, and clean up at the end.

    Where another run holds the lock, call `on_wait` and wait; without that raise `ConflictError`,
    as where a journal does not fit the tree.
    """
    with (
        disk.folder_made(root),
        signals.kept(),
        folder_lock.held(control, root, on_wait) as held,
        open_folder.opened(root) as tree,
    ):
        journal = Journal(tree=tree, control=held.folder, lock=(held.descriptor,))
        journal.recover()
        try:
            yield journal
        finally:
            # As for managed environments: the first failure is the one to be told of.
            signals.ignore()
            with contextlib.suppress(OSError, ConflictError):
                journal.recover()


def is_unfinished(control: Path) -> bool:
    """Return whether a run left something to finish, undo or clean up; changes nothing."""
    return any(os.path.lexists(control / name) for name in _UNFINISHED)


def _move(source: OpenFolder, path: str, target: OpenFolder, place: str) -> None:
    # Where somebody removed the file meanwhile there is nothing to move.
    with contextlib.suppress(FileNotFoundError):
        source.rename(path, target, place)
