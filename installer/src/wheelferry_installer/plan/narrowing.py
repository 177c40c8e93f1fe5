"""Reduces a manifest to what some of its targets need; pure.

The result is not signed: it says what to take, never what to trust.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

from wheelferry_schemas.bundle.layout import pylock_name, requirements_name
from wheelferry_schemas.bundle.manifest import Manifest, Package, PythonArchive
from wheelferry_schemas.errors import UsageError

_ForTargets = TypeVar("_ForTargets", Package, PythonArchive)


def narrowed(manifest: Manifest, wanted: Collection[str]) -> Manifest:
    """Return the manifest of what the wanted targets need, or the whole one if none is named.

    Only documents that are named after another target are left out. Raises `UsageError` that names
    all targets that the bundle does not have.
    """
    if not wanted:
        return manifest
    known = [target.id for target in manifest.targets]
    unknown = [target for target in dict.fromkeys(wanted) if target not in known]
    if unknown:
        raise UsageError(
            f"the bundle is not made for {', '.join(unknown)}",
            details=[f"it is for {target}" for target in known],
            hint="name one of these; 'bundle show' tells what each of them gets",
        )
    others = set(known).difference(wanted)
    foreign = {
        name(target, alone=False) for target in others for name in (pylock_name, requirements_name)
    }
    return manifest.replaced(
        targets=tuple(target for target in manifest.targets if target.id in wanted),
        packages=_of(manifest.packages, others),
        pythons=_of(manifest.pythons, others),
        documents=tuple(d for d in manifest.documents if d.name not in foreign),
    )


def _of(entries: Iterable[_ForTargets], others: Collection[str]) -> tuple[_ForTargets, ...]:
    """Return the entries that are not for the others alone, without mentioning these."""
    left = (
        (entry, tuple(target for target in entry.targets if target not in others))
        for entry in entries
    )
    return tuple(entry.replaced(targets=mine) for entry, mine in left if mine)
