"""Finds files that would be lost with an environment: those of neither wheelferry nor Python.

Every command that replaces or removes an environment checks this first, so that no one's files are
lost silently.
"""

from __future__ import annotations

import contextlib
import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wheelferry_installer.environment.distributions import distributions, recorded_files
from wheelferry_installer.environment.generations import ManagedEnvironment
from wheelferry_installer.environment.inspection import Findings, inspect, names_in
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_schemas.display import count
from wheelferry_schemas.errors import ConflictError, MalformedError
from wheelferry_schemas.receipt import Receipt

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Files that were `edited` or `added` since, and `packages` that another installer added.

    Paths are relative to the environment; files of those packages are not listed again.
    """

    edited: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.edited or self.added or self.packages)

    @property
    def tally(self) -> str:
        """How many of each, in words."""
        parts = (
            count(len(self.packages), "package") + " of another installer" if self.packages else "",
            count(len(self.edited), "file") + " edited" if self.edited else "",
            count(len(self.added), "file") + " added" if self.added else "",
        )
        return ", ".join(part for part in parts if part)

    @property
    def names(self) -> list[str]:
        """A line for each of them."""
        return [
            *(f"installed by others: {package}" for package in self.packages),
            *(f"edited: {path}" for path in self.edited),
            *(f"added: {path}" for path in self.added),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What would be lost with an environment, and the names of all files that were seen in it."""

    losses: Losses = field(default_factory=Losses)
    seen: frozenset[str] = frozenset()


def of_environment(environment: Path) -> Losses:
    """Return what would be lost with an environment; nothing if wheelferry made none there."""
    receipt = read_receipt(environment)
    return Losses() if receipt is None else _look(environment, receipt).losses


def refuse_replacement(managed: ManagedEnvironment, keep: int, *, force: bool) -> Looked:
    """Raise `ConflictError` if files would be lost with an environment or a former one.

    With `force` those of the environment stay in the former one that is kept; files in former ones
    beyond `keep` are never lost. Returns what was found in the environment.
    """
    present = read_receipt(managed.path)
    looked = Looked() if present is None else _look(managed.path, present)
    kept = managed.kept
    staying = keep if present is None else max(keep - 1, 0)
    going = {
        generation.path: _look(generation.path, generation.receipt).losses
        for generation in kept[staying:]
    }
    refused, hints = {path: losses for path, losses in going.items() if losses}, []
    if looked.losses and (keep == 0 or not force):
        refused = {managed.path: looked.losses, **refused}
        without = "leave out --keep 0 and pass --force" if keep == 0 else "pass --force"
        hints.append(f"move them away, or {without}: then they stay in {managed.previous}")
    numbers = [number for number, generation in enumerate(kept) if generation.path in refused]
    if numbers:
        command = shlex.join(
            ["bundle", "prune", "--venv", str(managed.path), "--keep", str(numbers[0]), "--force"]
        )
        hints.append(
            f"to keep {kept[numbers[-1]].path} pass --keep {numbers[-1] + 1 + (present is not None)}"
            f"; to lose it: {command}"
        )
    _refuse(refused, hint="; ".join(hints))
    return looked


def refuse_newcomers(
    managed: ManagedEnvironment, keep: int, known: Looked, *, force: bool
) -> Looked:
    """Check again, immediately before the replacement, if there are new files.

    A file that was edited in between stays in the former environment.
    """
    if keep > 0 and names_in(managed.path) <= known.seen:
        return known
    return refuse_replacement(managed, keep, force=force)


def refuse_removal(environments: Mapping[Path, Receipt]) -> None:
    """Raise `ConflictError` if files would be lost with these environments."""
    found = {path: _look(path, receipt).losses for path, receipt in environments.items()}
    _refuse(
        {path: losses for path, losses in found.items() if losses},
        hint="move them away, or pass --force to lose them",
    )


def _look(environment: Path, receipt: Receipt) -> Looked:
    findings = inspect(environment, receipt, thorough=False)
    return Looked(losses=of(environment, receipt, findings), seen=findings.seen)


def of(environment: Path, receipt: Receipt, findings: Findings) -> Losses:
    """Return what a comparison says would be lost; files of packages count as packages."""
    added = set(findings.added)
    packages = []
    folders = {posixpath.dirname(posixpath.dirname(path)) for path in added}
    libraries = {folder for folder in folders if posixpath.basename(folder) == "site-packages"}
    ours = {posixpath.basename(posixpath.dirname(package.record)) for package in receipt.packages}
    for distribution in distributions(environment, sorted(libraries)):
        if posixpath.basename(distribution.metadata) in ours:
            continue
        own = {path for path in added if path.startswith(f"{distribution.metadata}/")}
        with contextlib.suppress(MalformedError):
            own.update(path for path, _ in recorded_files(environment, distribution.record))
        added -= own
        packages.append(f"{distribution.name} {distribution.version}")
    return Losses(
        edited=findings.changed, added=tuple(sorted(added)), packages=tuple(sorted(packages))
    )


def _refuse(found: Mapping[Path, Losses], *, hint: str) -> None:
    """Raise `ConflictError` that names what would be lost, by environment, if anything would."""
    if not found:
        return
    first = next(iter(found))
    names = [
        name if where == first else f"in {where}: {name}"
        for where, losses in found.items()
        for name in losses.names
    ]
    more = len(names) - _SHOWN
    raise ConflictError(
        f"{first} has files that would be lost: {found[first].tally}",
        details=[*names[:_SHOWN], f"and {more:,} more"] if more > 0 else names,
        hint=hint,
    )
