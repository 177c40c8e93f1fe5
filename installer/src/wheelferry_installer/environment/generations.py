"""Replaces an environment as a whole: after a crash at any instant it is the old or the new one.

The control folder of an environment `X` is `X.wheelferry` beside it:

- `lock` is held while a run works on the environment;
- `staging` is where the new one is built;
- `journal.json` says that `staging` is complete and about to become the environment, by an
  installation or a rollback, or that the environment or former ones are about to be removed;
- `previous` is the environment before the last change, `previous.2` the one before that;
- `outgoing` and `discarded` are environments about to become `previous` or to be removed.

The swap is one `renameat2(RENAME_EXCHANGE)` if the kernel and the file system support it, otherwise
two renames. The next holder of the lock finishes or undoes what a crashed run left.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wheelferry_installer.environment.receipts import read_receipt, receipt_below
from wheelferry_installer.system import disk, folder_lock, open_folder, own_folder, signals
from wheelferry_installer.system.open_folder import NotPlainError, OpenFolder
from wheelferry_schemas.errors import ConflictError, TransferError
from wheelferry_schemas.receipt import Receipt

_STAGING, _OUTGOING, _DISCARDED, _JOURNAL = "staging", "outgoing", "discarded", "journal.json"
_LEFTOVERS = (_STAGING, _OUTGOING, _DISCARDED, f"{_JOURNAL}.unfinished")
_SLOT = re.compile(r"previous(?:\.([1-9][0-9]*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A former environment that is kept."""

    path: Path
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ManagedEnvironment:
    """The environment at `path` and its control folder, whose lock is held if it is open.

    A child process that inherits the descriptors in `lock` shares the lock. `folder` is the control
    folder and `site` the folder that contains both.
    """

    path: Path
    lock: tuple[int, ...] = ()
    folder: OpenFolder | None = None
    site: OpenFolder | None = None

    @property
    def control(self) -> Path:
        """The control folder."""
        return control_folder(self.path)

    @property
    def staging(self) -> Path:
        """Where the new environment is built."""
        return self.control / "staging"

    @property
    def previous(self) -> Path:
        """The environment before the last change, if it is kept."""
        return self.control / "previous"

    @property
    def kept(self) -> list[Generation]:
        """The former environments that are kept, the youngest first."""
        with self._control() as folder:
            found = ((name, receipt_below(folder, name)) for _, name in _slots(folder))
            return [
                Generation(path=self.control / name, receipt=read)
                for name, read in found
                if read is not None
            ]

    @property
    def unfinished(self) -> bool:
        """Whether an earlier run left something to finish, undo or clean up."""
        return any(os.path.lexists(self.control / name) for name in (_JOURNAL, *_LEFTOVERS))

    @contextlib.contextmanager
    def _control(self) -> Iterator[OpenFolder | None]:
        """Open the control folder, or return the open one; None if there is none."""
        if self.folder is not None or not os.path.lexists(self.control):
            yield self.folder
            return
        with own_folder.found(self.control) as folder:
            yield folder

    @property
    def _held(self) -> tuple[OpenFolder, OpenFolder]:
        """The control folder and the one that it lies in, as they were opened under the lock."""
        assert self.folder is not None
        assert self.site is not None
        return self.folder, self.site

    def commit(self, generation: str, *, sync: bool, keep: int = 1) -> None:
        """Put `staging` in the environment's place; `keep` former environments stay.

        With `sync` everything is flushed to disk before the swap, and the swap before this returns.
        From here until the lock is released signals are ignored, if the process shields itself.
        """
        own_folder.refuse_moved(self._held[0])
        if sync:
            disk.sync_file_system(self.staging)
        self._swap(JournalEntry(action="install", generation=generation, keep=keep), sync=sync)

    def rollback(self, *, sync: bool, to: str | None = None) -> None:
        """Replace the environment by a former one, and keep it as `previous`.

        The former one is chosen by `former`, which raises `ConflictError`.
        """
        chosen = self.former(to)
        entry = JournalEntry(
            action="rollback", generation=chosen.receipt.generation, keep=len(self.kept)
        )
        self._swap(entry, sync=sync, source=chosen.path.name)

    def former(self, to: str | None) -> Generation:
        """Return the youngest former environment, or the one whose generation begins with `to`.

        Raises `ConflictError` if it is not kept.
        """
        kept = self.kept
        chosen = [g for g in kept if to is None or g.receipt.generation.startswith(to)]
        if not chosen or (to is not None and len(chosen) > 1):
            which = "from before the last change" if to is None else f"{to!r}"
            raise ConflictError(
                f"{'no' if not chosen else 'more than one'} environment {which} of {self.path} "
                "is kept",
                hint="see: bundle status; or install the older bundle with --allow-downgrade",
            )
        return chosen[0]

    def uninstall(self, *, sync: bool) -> None:
        """Remove the environment and all that is kept of former ones."""
        signals.ignore()
        present = read_receipt(self.path)
        assert present is not None
        folder, site = self._held
        self._write(
            JournalEntry(action="uninstall", generation=present.generation, keep=0), sync=sync
        )
        with contextlib.ExitStack() as undo:
            site.rename(self.path.name, folder, _DISCARDED)
            undo.callback(folder.rename, _DISCARDED, site, self.path.name)
            if sync:
                self._sync_folders()
            undo.pop_all()
        self._tidy()

    def prune(self, keep: int, *, sync: bool) -> None:
        """Remove all but `keep` former environments, the oldest ones."""
        signals.ignore()
        present = read_receipt(self.path)
        generation = present.generation if present is not None else ""
        self._write(JournalEntry(action="prune", generation=generation, keep=keep), sync=sync)
        self._tidy()

    def recover(self) -> None:
        """Finish or undo what an earlier run left."""
        folder, site = self._held
        if not site.has(self.path.name) and folder.has_folder(_OUTGOING):
            # The first of two renames was made: the second is due.
            come = _STAGING if folder.has_folder(_STAGING) else _OUTGOING
            folder.rename(come, site, self.path.name)
        entry = JournalEntry.read(folder)
        if entry is not None:
            self._settle(entry)
        for leftover in (_JOURNAL, *_LEFTOVERS):
            folder.remove(leftover)

    def _settle(self, entry: JournalEntry) -> None:
        """Complete the change in the journal, or undo it."""
        folder, site = self._held
        present = read_receipt(self.path)
        done = present is not None and present.generation == entry.generation
        if entry.action == "uninstall":
            if not site.has(self.path.name):
                self._prune(keep=0)
        elif entry.action == "prune":
            self._prune(entry.keep)
        elif done:
            old = _OUTGOING if folder.has_folder(_OUTGOING) else _STAGING
            # Something without a receipt was an empty folder.
            if receipt_below(folder, old) is not None:
                folder.rename(old, folder, self._free_slot(first=True))
            self._prune(entry.keep)
        elif entry.action == "rollback" and folder.has_folder(_STAGING):
            folder.rename(_STAGING, folder, self._free_slot(first=False))

    def _swap(self, entry: JournalEntry, *, sync: bool, source: str | None = None) -> None:
        """Exchange `staging` and the environment; if that fails, restore everything."""
        signals.ignore()
        folder, site = self._held
        name = self.path.name
        self._write(entry, sync=sync)
        try:
            with contextlib.ExitStack() as undo:
                if source is not None:
                    folder.rename(source, folder, _STAGING)
                if not site.has(name):
                    folder.rename(_STAGING, site, name)
                    undo.callback(site.rename, name, folder, _STAGING)
                elif folder.exchange(_STAGING, site, name):
                    undo.callback(folder.exchange, _STAGING, site, name)
                else:
                    site.rename(name, folder, _OUTGOING)
                    undo.callback(folder.rename, _OUTGOING, site, name)
                    folder.rename(_STAGING, site, name)
                    undo.callback(site.rename, name, folder, _STAGING)
                if sync:
                    self._sync_folders()
                undo.pop_all()
        except OSError as error:
            present = read_receipt(self.path)
            if present is None or present.generation != entry.generation:
                raise
            raise TransferError(
                f"{self.path} was replaced, but the disk failed: {error.strerror}",
                hint="it may not survive a power loss: check the disk",
            ) from error
        self._tidy()

    def _tidy(self) -> None:
        # The change is complete; the next run cleans up what this one cannot.
        with contextlib.suppress(OSError):
            self.recover()

    def _write(self, entry: JournalEntry, *, sync: bool) -> None:
        self._held[0].write(_JOURNAL, json.dumps(asdict(entry)).encode(), sync=sync)

    def _sync_folders(self) -> None:
        for folder in reversed(self._held):
            folder.sync()

    def _free_slot(self, *, first: bool) -> str:
        """Return a free slot; to free the first one, shift those up to the next gap."""
        folder = self._held[0]
        taken = {number for number, _ in _slots(folder)}
        free = next(number for number in range(1, len(taken) + 2) if number not in taken)
        if first:
            for number in range(free, 1, -1):
                folder.rename(_slot(number - 1), folder, _slot(number))
            free = 1
        return _slot(free)

    def _prune(self, keep: int) -> None:
        folder = self._held[0]
        for _, name in _slots(folder)[keep:]:
            folder.remove(_DISCARDED)
            folder.rename(name, folder, _DISCARDED)


def _slot(number: int) -> str:
    return "previous" if number == 1 else f"previous.{number}"


def _slots(folder: OpenFolder | None) -> list[tuple[int, str]]:
    """Return the numbers and names of kept environments; there may be a gap."""
    matches = map(_SLOT.fullmatch, folder.names() if folder is not None else ())
    return sorted((int(match[1] or 1), match[0]) for match in matches if match)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """The change that is about to be made; `generation` is the one after it, or the one removed."""

    action: str
    generation: str
    keep: int

    @classmethod
    def read(cls, folder: OpenFolder) -> JournalEntry | None:
        """Read a journal; None if there is none, or if a power loss left an empty one."""
        try:
            entry = json.loads(folder.read(_JOURNAL))
            keep = entry["keep"]
            if type(keep) is not int or keep < 0:
                return None
            return cls(action=str(entry["action"]), generation=str(entry["generation"]), keep=keep)
        except (FileNotFoundError, NotPlainError):
            return None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def control_folder(environment: Path) -> Path:
    """Return the control folder of an environment."""
    return environment.with_name(f"{environment.name}.wheelferry")


@contextlib.contextmanager
def locked(
    environment: Path, on_wait: Callable[[], None] | None = None
) -> Iterator[ManagedEnvironment]:
    """Hold the lock of an environment, tidy up after crashed runs, and clean up at the end.

    If another run holds the lock, call `on_wait` and wait; without `on_wait` raise `ConflictError`.
    """
    with (
        disk.folder_made(environment.parent),
        signals.kept(),
        folder_lock.held(control_folder(environment), environment, on_wait) as held,
        open_folder.opened(Path(os.path.realpath(environment.parent))) as site,
    ):
        managed = ManagedEnvironment(environment, (held.descriptor,), held.folder, site)
        managed.recover()
        try:
            yield managed
        finally:
            # A second Ctrl-C must not interrupt the cleanup after the first, and a failing disk
            # must not hide the original error. The next run does what is left.
            signals.ignore()
            with contextlib.suppress(OSError):
                managed.recover()
