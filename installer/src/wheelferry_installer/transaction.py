"""Replaces an environment as a whole: after a crash at any instant it is the old or the new one.

Beside an environment `X` lies its control folder `X.wheelferry`:

- `lock` is held while somebody works on the environment;
- `staging` is where the new one is built;
- `journal.json` says that `staging` is complete and about to become the environment, by an
  installation or by a rollback;
- `previous` is the environment before the last change.

The swap is one `renameat2(RENAME_EXCHANGE)` where the kernel and the file system have that, and
two renames elsewhere. Whoever holds the lock next finishes or undoes what was left.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wheelferry_schemas import receipt
from wheelferry_schemas.errors import ConflictError, MalformedError
from wheelferry_schemas.receipt import Receipt

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class ManagedEnvironment:
    """The environment at `path`, and the control folder beside it; the lock is held."""

    path: Path

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
    def _outgoing(self) -> Path:
        return self.control / "outgoing"

    @property
    def _journal(self) -> Path:
        return self.control / "journal.json"

    def commit(self, generation: str, *, sync: bool) -> None:
        """Put `staging` in the environment's place; what was there becomes `previous`.

        With `sync` everything is on the disk before the swap, and the swap before this returns.
        """
        if sync:
            sync_file_system(self.staging)
        self._write_journal(generation, "install")
        self._swap(sync=sync)

    def rollback(self, *, sync: bool) -> None:
        """Put `previous` in the environment's place; what was there becomes `previous`.

        Raises `ConflictError` where no previous environment is kept.
        """
        kept = read_receipt(self.previous)
        if kept is None:
            raise ConflictError(
                f"no environment from before the last change of {self.path} is kept",
                hint="install the older bundle with --allow-downgrade",
            )
        self._write_journal(kept.generation, "rollback")
        os.rename(self.previous, self.staging)
        self._swap(sync=sync)

    def _write_journal(self, generation: str, action: str) -> None:
        journal = {"action": action, "generation": generation}
        _write_durably(self._journal, json.dumps(journal).encode())

    def _swap(self, *, sync: bool) -> None:
        if not os.path.lexists(self.path):
            os.rename(self.staging, self.path)
        elif not _exchange(self.staging, self.path):
            os.rename(self.path, self._outgoing)
            os.rename(self.staging, self.path)
        if sync:
            _sync_folder(self.path.parent)
        self.recover()

    def recover(self) -> None:
        """Finish or undo what a run before this one left."""
        outgoing = self._outgoing
        if self._journal.exists():
            action, generation = _read_journal(self._journal)
            if not os.path.lexists(self.path) and self.staging.exists():
                os.rename(self.staging, self.path)
            elif not os.path.lexists(self.path) and outgoing.exists():
                os.rename(outgoing, self.path)
            present = read_receipt(self.path)
            if present is not None and present.generation == generation:
                self._keep_previous(outgoing if outgoing.exists() else self.staging)
            elif action == "rollback" and self.staging.exists():
                os.rename(self.staging, self.previous)
            self._journal.unlink()
        for leftover in (self.staging, outgoing, self.control / "discarded"):
            _remove(leftover)

    def _keep_previous(self, old: Path) -> None:
        """Make `old` the previous environment, unless it is empty or not there."""
        if not old.exists() or read_receipt(old) is None:
            return
        discarded = self.control / "discarded"
        _remove(discarded)
        if self.previous.exists():
            os.rename(self.previous, discarded)
        os.rename(old, self.previous)


def control_folder(environment: Path) -> Path:
    """Return the control folder of an environment."""
    return environment.with_name(f"{environment.name}.wheelferry")


@contextlib.contextmanager
def locked(environment: Path) -> Iterator[ManagedEnvironment]:
    """Hold the lock of an environment, tidy up after crashed runs, and clean up at the end.

    Raises `ConflictError` where another run holds the lock.
    """
    managed = ManagedEnvironment(environment)
    environment.parent.mkdir(parents=True, exist_ok=True)
    with _lock(managed.control):
        try:
            managed.recover()
            yield managed
        finally:
            managed.recover()


def read_receipt(environment: Path) -> Receipt | None:
    """Return the receipt in an environment, None where there is none that can be read."""
    try:
        return receipt.parse((environment / receipt.FOLDER / receipt.FILE_NAME).read_bytes())
    except (OSError, MalformedError):
        return None


def sync_file_system(path: Path) -> None:
    """Flush the file system that `path` lies on; everything where only that can be asked for."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        syncfs = getattr(_libc(), "syncfs", None)
        if syncfs is None or syncfs(descriptor) != 0:
            os.sync()
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _lock(control: Path) -> Iterator[None]:
    """Hold the lock; where nothing of worth is left at the end, leave no trace of it."""
    lock = control / "lock"
    ignored = control / ".gitignore"
    while True:
        control.mkdir(exist_ok=True)
        try:
            file = lock.open("ab")
        except FileNotFoundError:
            # Whoever held the lock has just removed the folder.
            continue
        with file:
            if not _try_lock(file.fileno()):
                raise ConflictError(
                    f"another run works on {control.with_suffix('')}",
                    hint="wait until it is done, then run this again",
                )
            if not lock.exists() or not os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                continue
            # Projects should not have to list the folder among what they ignore.
            if not ignored.exists():
                ignored.write_text("*\n", encoding="ascii")
            try:
                yield
            finally:
                if {entry.name for entry in control.iterdir()} <= {lock.name, ignored.name}:
                    ignored.unlink()
                    lock.unlink()
                    with contextlib.suppress(OSError):
                        control.rmdir()
            return


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where that cannot be done here."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(_libc(), "renameat2", None)
    if renameat2 is None:
        return False
    arguments = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(renameat2(*arguments) == 0)


def _read_journal(journal: Path) -> tuple[str | None, str | None]:
    """Return action and generation; None where a crash cut the journal short before the swap."""
    try:
        entry = json.loads(journal.read_bytes())
        return str(entry["action"]), str(entry["generation"])
    except (ValueError, KeyError, TypeError):
        return None, None


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if os.path.lexists(path):
        shutil.rmtree(path)
