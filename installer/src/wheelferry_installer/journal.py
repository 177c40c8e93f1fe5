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
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer import changes, disk, locks, signals
from wheelferry_installer.changes import Changes
from wheelferry_schemas.errors import ConflictError, TransferError

_CHANGES = "changes.json"
_STAYS = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The transactions of the tree below `root`; the lock of `control` is held."""

    root: Path
    control: Path

    @property
    def staging(self) -> Path:
        """Where new files are written, laid out as they will be below the root."""
        return self.control / "staging" / "new"

    @property
    def unfinished(self) -> bool:
        """Whether a run before this one left something to finish, to undo or to tidy up."""
        names = ("staging", "applying", "committed", "undoing", "redoing", "discarded")
        return any(map(self._is, names))

    def begin(self) -> None:
        """Make the folders of a transaction."""
        self.staging.mkdir(parents=True)
        (self.control / "staging" / "old").mkdir()

    def apply(self, planned: Changes, *, sync: bool) -> None:
        """Do what is planned: all of it, or nothing and raise `OSError`."""
        disk.write_whole(self.control / "staging" / _CHANGES, planned.serialize(), sync=False)
        self._flush(sync=sync)
        signals.ignore()
        try:
            self._go("staging", "applying", sync=sync)
            self._forward("applying")
            self._flush(sync=sync)
            self._go("applying", "committed", sync=sync)
        except OSError:
            self._take_back(("committed",), "applying")
            raise
        self._tidy()

    def rollback(self, *, sync: bool) -> None:
        """Undo the last change, or do it again where it was undone.

        Raises `ConflictError` where no change is kept, or where its files were changed since.
        """
        way, unfinished, done, reverse = "previous", "undoing", "undone", "redoing"
        if not self._is(way):
            way, unfinished, done, reverse = done, reverse, way, unfinished
        if not self._is(way):
            raise ConflictError(
                f"no way back from the last change of {self.root} is kept",
                hint="install the older bundle with --allow-downgrade",
            )
        self._prepare_reversal(self._read(way), back=way == "previous")
        signals.ignore()
        try:
            self._go(way, unfinished, sync=sync)
            self._finish(unfinished, sync=sync)
        except OSError:
            self._take_back((unfinished, done), reverse)
            raise
        self._tidy()

    def recover(self) -> None:
        """Finish or undo what a run before this one left."""
        if self._is("applying"):
            self._backward("applying")
            self._flush(sync=True)
            self._go("applying", "discarded", sync=True)
        for unfinished in ("undoing", "redoing"):
            if self._is(unfinished):
                self._finish(unfinished, sync=True)
        if self._is("committed"):
            keep = self._read("committed").keep
            for superseded in ("previous", "undone"):
                self._discard(superseded)
            if keep:
                self._go("committed", "previous", sync=False)
            else:
                self._discard("committed")
        disk.remove(self.control / "staging")
        disk.remove(self.control / "discarded")

    def _is(self, name: str) -> bool:
        return (self.control / name).exists()

    def _read(self, name: str) -> Changes:
        return changes.parse((self.control / name / _CHANGES).read_bytes())

    def _flush(self, *, sync: bool) -> None:
        if sync:
            disk.sync_file_system(self.control)

    def _go(self, name: str, target: str, *, sync: bool) -> None:
        os.rename(self.control / name, self.control / target)
        if sync:
            disk.sync_folder(self.control)

    def _finish(self, name: str, *, sync: bool) -> None:
        if name == "undoing":
            self._backward(name)
        else:
            self._forward(name)
        self._flush(sync=sync)
        self._go(name, "undone" if name == "undoing" else "previous", sync=sync)

    def _discard(self, name: str) -> None:
        if self._is(name):
            disk.remove(self.control / "discarded")
            os.rename(self.control / name, self.control / "discarded")

    def _tidy(self) -> None:
        # What was to be done is done; what cannot be tidied up now, the next run does.
        with contextlib.suppress(OSError):
            self.recover()

    def _take_back(self, states: tuple[str, ...], reverse: str) -> None:
        """Go back from whichever state was reached."""
        try:
            for state in filter(self._is, states):
                os.rename(self.control / state, self.control / reverse)
            self.recover()
        except OSError as error:
            raise TransferError(
                f"{self.root} was changed only in part: {error.strerror or error}",
                hint="see to the disk; then the next command of wheelferry on it puts that right",
            ) from error

    def _forward(self, name: str) -> None:
        planned = self._read(name)
        new, old = self.control / name / "new", self.control / name / "old"
        put = {file.path for file in planned.put}
        for number, file in enumerate(planned.taken):
            # Where the successor is no longer in `new`, the file went before that came.
            successor_came = file.path in put and not os.path.lexists(new / file.path)
            if not successor_came and not os.path.lexists(old / str(number)):
                _move(self.root / file.path, old / str(number))
        for folder, _ in planned.removed:
            _remove_empty(self.root / folder)
        for folder in planned.made:
            (self.root / folder).mkdir(exist_ok=True)
        for file in planned.put:
            if os.path.lexists(new / file.path):
                os.rename(new / file.path, self.root / file.path)

    def _backward(self, name: str) -> None:
        planned = self._read(name)
        new, old = self.control / name / "new", self.control / name / "old"
        numbers = {file.path: str(number) for number, file in enumerate(planned.taken)}
        for file in reversed(planned.put):
            # Where the predecessor is no longer in `old`, the file went before that came back.
            number = numbers.get(file.path)
            predecessor_came = number is not None and not os.path.lexists(old / number)
            if not predecessor_came and not os.path.lexists(new / file.path):
                _move(self.root / file.path, new / file.path)
        for folder in reversed(planned.made):
            _remove_empty(self.root / folder)
        for folder, mode in reversed(planned.removed):
            (self.root / folder).mkdir(exist_ok=True)
            (self.root / folder).chmod(mode)
        for path, number in numbers.items():
            if os.path.lexists(old / number):
                os.rename(old / number, self.root / path)

    def _prepare_reversal(self, planned: Changes, *, back: bool) -> None:
        """Refuse to reverse what others have changed since; remove what Python has compiled since.

        Raises `ConflictError` that names all files.
        """
        there, away = (planned.put, planned.taken) if back else (planned.taken, planned.put)
        paths = {file.path for file in there}
        folders = set(planned.made) if back else {folder for folder, _ in planned.removed}
        problems = [
            f"{file.path} was changed or removed" for file in there if not file.is_at(self.root)
        ]
        problems += [
            f"{file.path} came since"
            for file in away
            if file.path not in paths | folders and os.path.lexists(self.root / file.path)
        ]
        if problems:
            raise ConflictError(
                f"others have changed {self.root} since",
                details=problems,
                hint="install the bundle that you want to have, with --reinstall and --force",
            )
        for path in changes.cached_modules(self.root, sorted(paths)):
            if path not in paths:
                (self.root / path).unlink(missing_ok=True)
                _remove_empty((self.root / path).parent)


@contextlib.contextmanager
def locked(root: Path, control: Path, on_wait: Callable[[], None] | None) -> Iterator[Journal]:
    """Hold the lock of a tree, complete what crashed runs left, and clean up at the end.

    Where another run holds the lock, call `on_wait` and wait; without that raise `ConflictError`.
    """
    journal = Journal(root=root, control=control)
    with disk.folder_made(root), signals.kept(), locks.held(control, root, on_wait):
        journal.recover()
        try:
            yield journal
        finally:
            # As for managed environments: the first failure is the one to be told of.
            signals.ignore()
            with contextlib.suppress(OSError):
                journal.recover()


def _move(source: Path, target: Path) -> None:
    # Where somebody removed the file meanwhile there is nothing to move.
    with contextlib.suppress(FileNotFoundError):
        os.rename(source, target)


def _remove_empty(folder: Path) -> None:
    """Remove a folder, unless somebody has put something into it meanwhile."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in _STAYS:
            raise
