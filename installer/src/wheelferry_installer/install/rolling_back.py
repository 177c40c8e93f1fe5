"""Undoes the last change, or says what that would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wheelferry_installer.environment import generations, losses, tree_journal
from wheelferry_installer.environment.distributions import (
    Distribution,
    distributions,
    distributions_among,
)
from wheelferry_installer.environment.generations import ManagedEnvironment
from wheelferry_installer.environment.losses import Losses
from wheelferry_installer.environment.receipts import read_receipt, read_receipt_in
from wheelferry_installer.environment.tree_changes import Reversal
from wheelferry_installer.environment.tree_journal import Journal
from wheelferry_installer.host.places import CONTROL, Place
from wheelferry_installer.plan.merge_plan import state_at
from wheelferry_installer.plan.package_changes import PackageChanges, state_of
from wheelferry_installer.system.open_folder import NotPlainError
from wheelferry_schemas import receipt
from wheelferry_schemas.errors import ConflictError, MalformedError, UsageError
from wheelferry_schemas.receipt import Receipt

SHORTEST = 8
"""As many characters of a generation as `bundle status` shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What a rollback changed, or would change; `receipt` is the one in effect afterwards.

    `losses` are files of others in the environment, which stay in the folder `former`.
    """

    receipt: Receipt | None
    changes: PackageChanges
    losses: Losses = field(default_factory=Losses)
    former: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackOptions:
    """Which state to go back to, and from which; with `dry_run` nothing is changed.

    `to` and `if_generation` are the first characters of generations, by default the newest former
    one and whichever is there.
    """

    to: str | None
    if_generation: str | None
    dry_run: bool
    sync: bool


def refuse_ambiguous(if_generation: str | None) -> None:
    """Raise `UsageError` where too little of a generation is named to be sure which one that is."""
    if if_generation is not None and len(if_generation) < SHORTEST:
        raise UsageError(
            f"--if-generation takes at least {SHORTEST} characters",
            hint="'bundle status' shows as many, and all of them with --json",
        )


def roll_back(
    environment: Path,
    *,
    to: str | None,
    if_generation: str | None,
    sync: bool,
    on_wait: Callable[[], None] | None,
) -> RolledBack:
    """Restore the newest former environment, or the one whose generation begins with `to`.

    Raises `ConflictError` if it is not kept, or if the generation of the environment does not begin
    with `if_generation`; then nothing was changed.
    """
    with generations.locked(environment, on_wait) as managed:
        foreseen = _foresee(managed, to, if_generation)
        managed.rollback(sync=sync, to=to)
    return foreseen


def foresee(environment: Path, *, to: str | None, if_generation: str | None) -> RolledBack:
    """Return what `roll_back` would do, and raise as it does."""
    managed = ManagedEnvironment(environment)
    _refuse_unfinished(environment, unfinished=managed.unfinished)
    return _foresee(managed, to, if_generation)


def roll_back_place(
    place: Place,
    *,
    if_generation: str | None,
    sync: bool,
    on_wait: Callable[[], None] | None,
) -> RolledBack:
    """Undo the last change of a place, or redo it if it was undone; raises as `roll_back`."""
    with tree_journal.locked(place.root, place.root / CONTROL, on_wait) as entries:
        foreseen = _foresee_place(place, entries, if_generation)
        entries.rollback(sync=sync)
    return foreseen


def foresee_place(place: Place, *, if_generation: str | None) -> RolledBack:
    """Return what `roll_back_place` would do, and raise as it does."""
    control = place.root / CONTROL
    _refuse_unfinished(place.root, unfinished=tree_journal.is_unfinished(control))
    try:
        with tree_journal.looked_at(place.root, control) as entries:
            return _foresee_place(place, entries, if_generation)
    except FileNotFoundError as error:
        raise ConflictError(
            f"nothing is kept to undo the last change of {place.root}",
            hint="wheelferry has changed nothing there",
        ) from error


def _foresee(managed: ManagedEnvironment, to: str | None, if_generation: str | None) -> RolledBack:
    present = read_receipt(managed.path)
    _require_generation(managed.path, present, if_generation)
    chosen = managed.former(to).receipt
    changes = PackageChanges(before=state_of(present), after=state_of(chosen))
    return RolledBack(
        receipt=chosen,
        changes=changes,
        losses=losses.of_environment(managed.path),
        former=managed.previous,
    )


def _foresee_place(place: Place, entries: Journal, if_generation: str | None) -> RolledBack:
    present = read_receipt_in(place.root / place.receipts)
    _require_generation(place.root, present, if_generation)
    reversal = entries.reversal()
    there = distributions(place.root, place.libraries)
    going = set(distributions_among(reversal.going, place.libraries))
    coming = distributions_among(reversal.coming, place.libraries)
    then = _receipt_then(place, entries, reversal, present)
    return RolledBack(
        receipt=then,
        changes=PackageChanges(
            before=state_at(there, present), after=state_at(_without(there, going, coming), then)
        ),
    )


def _without(
    there: Iterable[Distribution], going: set[Distribution], coming: Iterable[Distribution]
) -> list[Distribution]:
    return sorted({*(set(there) - going), *coming}, key=lambda found: (found.name, found.metadata))


def _receipt_then(
    place: Place, entries: Journal, reversal: Reversal, present: Receipt | None
) -> Receipt | None:
    """Return the receipt that a place has after a rollback."""
    path = f"{place.receipts}/{receipt.FILE_NAME}"
    stored = reversal.coming.get(path)
    if stored is None:
        return None if path in reversal.going else present
    try:
        return receipt.parse(entries.control.read(stored))
    except (FileNotFoundError, NotPlainError, MalformedError):
        return None


def _require_generation(where: Path, present: Receipt | None, wanted: str | None) -> None:
    """Raise `ConflictError` unless the present generation begins with `wanted`."""
    if wanted is None:
        return
    found = present.generation if present else "nothing that wheelferry installed"
    if present is None or not found.startswith(wanted):
        raise ConflictError(
            f"{where} is no longer generation {wanted}, but {found}",
            hint="nothing was changed; if that is the generation that you wanted, nothing is left to do",
        )


def _refuse_unfinished(where: Path, *, unfinished: bool) -> None:
    if unfinished:
        raise ConflictError(
            f"a change of {where} is unfinished, so what a rollback would do is not known yet",
            hint="another run may be in progress; otherwise the next command that changes it completes the change",
        )
