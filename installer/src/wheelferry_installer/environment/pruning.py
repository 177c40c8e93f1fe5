"""Removes former environments, and computes the space that this frees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.environment import losses
from wheelferry_installer.environment.generations import Generation, ManagedEnvironment, locked
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.system import disk
from wheelferry_schemas.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Former environments to remove, the number that stay, and the space freed in bytes."""

    generations: tuple[Generation, ...]
    kept: int
    freed: int


def plan(kept: Sequence[Generation], keep: int, *, force: bool = False) -> Pruned:
    """Return which former environments to remove so that the `keep` newest stay.

    Raises `ConflictError` if files would be lost with them, unless `force`.
    """
    going = tuple(kept[keep:])
    if not force:
        losses.refuse_removal({generation.path: generation.receipt for generation in going})
    freed = disk.room_given_back(*(generation.path for generation in going))
    return Pruned(generations=going, kept=len(kept) - len(going), freed=freed)


def prune(
    managed: ManagedEnvironment, keep: int, *, force: bool = False, sync: bool = True
) -> Pruned:
    """Remove all former environments but the `keep` newest; raises as `plan` does."""
    planned = plan(managed.kept, keep, force=force)
    if planned.generations:
        managed.prune(keep, sync=sync)
    return planned


def foresee(environment: Path, keep: int, *, force: bool) -> Pruned:
    """Return what `prune_environment` would do; raises as that does."""
    _refuse_foreign(environment)
    return plan(ManagedEnvironment(environment).kept, keep, force=force)


def prune_environment(
    environment: Path,
    keep: int,
    *,
    force: bool,
    sync: bool = True,
    on_wait: Callable[[], None] | None = None,
) -> Pruned:
    """Remove the former environments of one but the `keep` youngest; raises `WheelferryError`.

    Where another run is working on the environment, call `on_wait` and wait; without that raise
    `ConflictError`.
    """
    _refuse_foreign(environment)
    try:
        with locked(environment, on_wait) as managed:
            return prune(managed, keep, force=force, sync=sync)
    except OSError as error:
        what = f"former environments of {environment} could not be removed"
        raise disk.failure(what, error, kept="they are as they were") from error


def _refuse_foreign(environment: Path) -> None:
    managed = ManagedEnvironment(environment)
    if read_receipt(environment) is None and not managed.kept and not managed.unfinished:
        raise UsageError(
            f"{environment} is not an environment that wheelferry made",
            hint="name one with --venv",
        )
