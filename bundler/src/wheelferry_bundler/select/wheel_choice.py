"""Chooses a package's wheel for a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from packaging.tags import Tag

from wheelferry_bundler.model.locked import Artifact
from wheelferry_schemas.target import Target, tags_for


def best_wheel(wheels: Iterable[Artifact], target: Target) -> Artifact | None:
    """Return the wheel whose best tag ranks highest, None where no tag of any wheel fits.

    Ties are broken by the highest build number, then by the first file name: locks list files in
    that order, and uv takes the first.
    """
    ranks = _ranks(target.python, target.abis, target.platforms)
    fitting = [
        (min(ranks[tag] for tag in wheel.tags if tag in ranks), wheel)
        for wheel in wheels
        if not ranks.keys().isdisjoint(wheel.tags)
    ]
    if not fitting:
        return None
    best = min(rank for rank, _ in fitting)
    equals = [wheel for rank, wheel in fitting if rank == best]
    newest = max(wheel.build or (-1, "") for wheel in equals)
    equals = [wheel for wheel in equals if (wheel.build or (-1, "")) == newest]
    return min(equals, key=lambda wheel: wheel.file_name)


@lru_cache(maxsize=64)
def _ranks(
    python: tuple[int, int], abis: tuple[str, ...], platforms: tuple[str, ...]
) -> Mapping[Tag, int]:
    """Return the rank of each tag that fits, 0 for the best."""
    ranks: dict[Tag, int] = {}
    for tag in tags_for(python, abis, platforms):
        ranks.setdefault(tag, len(ranks))
    return ranks
