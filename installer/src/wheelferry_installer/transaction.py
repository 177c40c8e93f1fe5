"""Replaces an environment as a whole: after a crash at any instant it is the old or the new one.

Beside an environment `X` lies its control folder `X.wheelferry`:

- `lock` is held while somebody works on the environment;
- `staging` is where the new one is built;
- `journal.json` says that `staging` is complete and about to become the environment, by an
  installation or by a rollback, or that the environment is about to go;
- `previous` is the environment before the last change, `previous.2` the one before that;
- `outgoing` and `discarded` are environments on their way to `previous`, or to nowhere.

The swap is one `renameat2(RENAME_EXCHANGE)` where the kernel and the file system have that, and
two renames elsewhere. Whoever holds the lock next finishes or undoes what was left.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wheelferry_installer import disk, locks, signals
from wheelferry_schemas import receipt
from wheelferry_schemas.errors import ConflictError, MalformedError, TransferError
from wheelferry_schemas.receipt import Receipt

_SLOT = re.compile(r"previous(?:\.([1-9][0-9]*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A former environment that is kept."""

    path: Path
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ManagedEnvironment:
    """The environment at `path`, and the control folder beside it; the lock is held.

    A child process that gets the descriptors in `lock` holds the lock with this one.
    """

    path: Path
    lock: tuple[int, ...] = ()

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
        found = ((path, read_receipt(path)) for _, path in self._slots())
        return [Generation(path=path, receipt=read) for path, read in found if read is not None]

    @property
    def unfinished(self) -> bool:
        """Whether a run before this one left something to finish, to undo or to tidy up."""
        return any(os.path.lexists(path) for path in (self._journal, *self._leftovers))

    @property
    def _outgoing(self) -> Path:
        return self.control / "outgoing"

    @property
    def _discarded(self) -> Path:
        return self.control / "discarded"

    @property
    def _journal(self) -> Path:
        return self.control / "journal.json"

    @property
    def _leftovers(self) -> tuple[Path, ...]:
        half_written = self._journal.with_name(f"{self._journal.name}.unfinished")
        return (self.staging, self._outgoing, self._discarded, half_written)

    def commit(self, generation: str, *, sync: bool, keep: int = 1) -> None:
        """Put `staging` in the environment's place; `keep` former environments stay.

        With `sync` everything is on the disk before the swap, and the swap before this returns.
        Signals no longer interrupt until the lock is released.
        """
        if sync:
            disk.sync_file_system(self.staging)
        self._swap(_Journal(action="install", generation=generation, keep=keep), sync=sync)

    def rollback(self, *, sync: bool, to: str | None = None) -> None:
        """Put a former environment in the environment's place, which in turn becomes `previous`.

        It is the youngest, or the one whose generation begins with `to`. Raises `ConflictError`
        where it is not kept.
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
        generation = chosen[0].receipt.generation
        entry = _Journal(action="rollback", generation=generation, keep=len(kept))
        self._swap(entry, sync=sync, source=chosen[0].path)

    def uninstall(self, *, sync: bool) -> None:
        """Remove the environment and all that is kept of former ones."""
        signals.ignore()
        present = read_receipt(self.path)
        assert present is not None
        self._write(_Journal(action="uninstall", generation=present.generation, keep=0), sync=sync)
        with contextlib.ExitStack() as undo:
            os.rename(self.path, self._discarded)
            undo.callback(os.rename, self._discarded, self.path)
            if sync:
                self._sync_folders()
            undo.pop_all()
        self._tidy()

    def recover(self) -> None:
        """Finish or undo what a run before this one left."""
        if not os.path.lexists(self.path) and self._outgoing.exists():
            # The pair of renames was begun: its second half is due.
            os.rename(self.staging if self.staging.exists() else self._outgoing, self.path)
        entry = _Journal.read(self._journal)
        if entry is not None:
            self._settle(entry)
        for leftover in (self._journal, *self._leftovers):
            disk.remove(leftover)

    def _settle(self, entry: _Journal) -> None:
        """Do what the journal says, as far as it is not done: all of it, or nothing."""
        present = read_receipt(self.path)
        done = present is not None and present.generation == entry.generation
        if entry.action == "uninstall":
            if not os.path.lexists(self.path):
                self._prune(keep=0)
        elif done:
            old = self._outgoing if self._outgoing.exists() else self.staging
            # Something without a receipt was an empty folder.
            if read_receipt(old) is not None:
                os.rename(old, self._free_slot(first=True))
            self._prune(entry.keep)
        elif entry.action == "rollback" and self.staging.exists():
            os.rename(self.staging, self._free_slot(first=False))

    def _swap(self, entry: _Journal, *, sync: bool, source: Path | None = None) -> None:
        """Exchange `staging` and the environment; where that fails, put everything back."""
        signals.ignore()
        self._write(entry, sync=sync)
        try:
            with contextlib.ExitStack() as undo:
                if source is not None:
                    os.rename(source, self.staging)
                if not os.path.lexists(self.path):
                    os.rename(self.staging, self.path)
                    undo.callback(os.rename, self.path, self.staging)
                elif disk.exchange(self.staging, self.path):
                    undo.callback(disk.exchange, self.staging, self.path)
                else:
                    os.rename(self.path, self._outgoing)
                    undo.callback(os.rename, self._outgoing, self.path)
                    os.rename(self.staging, self.path)
                    undo.callback(os.rename, self.path, self.staging)
                if sync:
                    self._sync_folders()
                undo.pop_all()
        except OSError as error:
            present = read_receipt(self.path)
            if present is None or present.generation != entry.generation:
                raise
            raise TransferError(
                f"{self.path} was replaced, but the disk failed: {error.strerror}",
                hint="it may not outlast a loss of power: see to the disk",
            ) from error
        self._tidy()

    def _tidy(self) -> None:
        # What was to be done is done; what cannot be tidied up now, the next run does.
        with contextlib.suppress(OSError):
            self.recover()

    def _write(self, entry: _Journal, *, sync: bool) -> None:
        disk.write_whole(self._journal, json.dumps(asdict(entry)).encode(), sync=sync)

    def _sync_folders(self) -> None:
        disk.sync_folder(self.path.parent)
        disk.sync_folder(self.control)

    def _slot(self, number: int) -> Path:
        return self.control / ("previous" if number == 1 else f"previous.{number}")

    def _slots(self) -> list[tuple[int, Path]]:
        """Return the numbers and paths of kept environments; there may be a gap."""
        try:
            names = os.listdir(self.control)
        except FileNotFoundError:
            return []
        matches = [match for match in map(_SLOT.fullmatch, names) if match]
        numbers = sorted(int(match[1] or 1) for match in matches)
        return [(number, self._slot(number)) for number in numbers]

    def _free_slot(self, *, first: bool) -> Path:
        """Return a free slot; for the first one, those up to the next gap move on."""
        taken = {number for number, _ in self._slots()}
        free = next(number for number in range(1, len(taken) + 2) if number not in taken)
        if first:
            for number in range(free, 1, -1):
                os.rename(self._slot(number - 1), self._slot(number))
            free = 1
        return self._slot(free)

    def _prune(self, keep: int) -> None:
        for _, path in self._slots()[keep:]:
            disk.remove(self._discarded)
            os.rename(path, self._discarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Journal:
    """What is about to be done; `generation` is the one that the environment will be or was."""

    action: str
    generation: str
    keep: int

    @classmethod
    def read(cls, path: Path) -> _Journal | None:
        """Read a journal; None where there is none, or where a loss of power left an empty one."""
        try:
            entry = json.loads(path.read_bytes())
            return cls(
                action=str(entry["action"]),
                generation=str(entry["generation"]),
                keep=int(entry["keep"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None


def control_folder(environment: Path) -> Path:
    """Return the control folder of an environment."""
    return environment.with_name(f"{environment.name}.wheelferry")


@contextlib.contextmanager
def locked(
    environment: Path, on_wait: Callable[[], None] | None = None
) -> Iterator[ManagedEnvironment]:
    """Hold the lock of an environment, tidy up after crashed runs, and clean up at the end.

    Where another run holds the lock, call `on_wait` and wait; without that raise `ConflictError`.
    """
    with (
        disk.folder_made(environment.parent),
        signals.kept(),
        locks.held(control_folder(environment), environment, on_wait) as held,
    ):
        managed = ManagedEnvironment(environment, (held.descriptor,))
        managed.recover()
        try:
            yield managed
        finally:
            # A second Ctrl-C must not keep the first from tidying up; nor must a failing disk hide
            # what went wrong before. The next run does what is left.
            signals.ignore()
            with contextlib.suppress(OSError):
                managed.recover()


def read_receipt(environment: Path) -> Receipt | None:
    """Return the receipt in an environment, None where there is none that makes sense."""
    return read_receipt_in(environment / receipt.FOLDER)


def read_receipt_in(folder: Path) -> Receipt | None:
    """Return the receipt in a folder, None where there is none that makes sense."""
    try:
        return receipt.parse((folder / receipt.FILE_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, MalformedError):
        return None
