"""What installing a bundle into a tree that somebody else made will do, decided before it is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from wheelferry_installer.environment.distributions import Distribution, distributions, is_editable
from wheelferry_installer.environment.generations import read_receipt_in
from wheelferry_installer.host.places import Place, refuse_unsearched
from wheelferry_installer.install.removal import Removal, plan_removal
from wheelferry_installer.plan.environment_plan import refuse_succession
from wheelferry_installer.plan.fitting import Fit
from wheelferry_installer.plan.package_changes import (
    PackageChanges,
    PackageVersion,
    State,
    state_of,
)
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_schemas.bundle.manifest import Package
from wheelferry_schemas.errors import ConflictError
from wheelferry_schemas.receipt import Receipt

_SEEDS = ("pip", "setuptools", "wheel", "uv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to deal with what is there: put back, remove what the bundle lacks, overwrite."""

    compile_bytecode: bool = False
    reinstall: bool = False
    exact: bool = False
    force: bool = False
    allow_downgrade: bool = False
    replace_other: bool = False
    keep: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """An installation of one target of a bundle into a place.

    `added` packages are installed, `left` ones are there already; `replaced` distributions are
    other versions of the former, `surplus` ones not in the bundle. All those are removed. `there`
    is all that is installed now.
    """

    bundle: VerifiedBundle
    place: Place
    fit: Fit
    wishes: Wishes
    present: Receipt | None
    added: tuple[Package, ...]
    left: tuple[Package, ...]
    replaced: tuple[Distribution, ...]
    surplus: tuple[Distribution, ...]
    there: tuple[Distribution, ...]

    @property
    def environment(self) -> Path:
        """The root of the place."""
        return self.place.root

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages of the bundle that are for this place."""
        return self.fit.packages

    @property
    def changes(self) -> PackageChanges:
        """What this merge changes."""
        before = state_at(self.there, self.present)
        gone = {distribution.name for distribution in (*self.replaced, *self.surplus)}
        packages = [package for package in before.packages if package.name not in gone]
        packages += (PackageVersion(p.name, p.version, p.sha256) for p in self.added)
        after = State(
            generation=None, manifest_sha256=self.bundle.sha256, packages=tuple(sorted(packages))
        )
        return PackageChanges(before=before, after=before if self.up_to_date else after)

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do, not even to write another receipt."""
        return (
            not (self.added or self.surplus)
            and self.present is not None
            and self.present.manifest_sha256 == self.bundle.sha256
            and self.present.target == self.fit.target.id
        )


def plan(bundle: VerifiedBundle, place: Place, fit: Fit, wishes: Wishes) -> MergePlan:
    """Compare a bundle with what is installed in a place.

    Raises `OutdatedError` where that came from a younger bundle, `UnfitError` where its Python
    would not find what is installed, and `ConflictError` where wheelferry itself would be removed, or
    what is installed is of bundles of another name.
    """
    refuse_unsearched(place)
    present = read_receipt_in(place.root / place.receipts)
    refuse_succession(
        bundle,
        present,
        place.root,
        replace_other=wishes.replace_other,
        allow_downgrade=wishes.allow_downgrade,
    )
    there = distributions(place.root, place.libraries)
    others: dict[str, list[Distribution]] = {}
    for distribution in there:
        others.setdefault(distribution.name, []).append(distribution)
    added, left, replaced = [], [], []
    for package in fit.packages:
        found = others.pop(package.name, [])
        if not wishes.reinstall and _is_satisfied(place.root, package, found):
            left.append(package)
        else:
            added.append(package)
            replaced += found
    surplus = [d for found in others.values() for d in found if _is_surplus(d, fit)]
    merge = MergePlan(
        bundle=bundle,
        place=place,
        fit=fit,
        wishes=wishes,
        present=present,
        added=tuple(added),
        left=tuple(left),
        replaced=tuple(replaced),
        surplus=tuple(surplus) if wishes.exact else (),
        there=there,
    )
    _refuse_own_removal(merge)
    return merge


def state_at(there: Iterable[Distribution], receipt: Receipt | None) -> State:
    """Return the state of a place in which these distributions are, whoever installed them."""
    return replace(
        state_of(receipt), packages=tuple(PackageVersion(d.name, d.version) for d in there)
    )


def removal_of(merge: MergePlan) -> Removal:
    """Find what goes in a merge; raises `ConflictError` that names all that speaks against it."""
    packages = merge.present.packages if merge.present else ()
    removal = plan_removal(
        merge.place.root,
        (*merge.replaced, *merge.surplus),
        {package.record: package for package in packages},
    )
    removal.refuse_conflicts(merge.place.root, force=merge.wishes.force)
    return removal


def _is_satisfied(root: Path, package: Package, found: list[Distribution]) -> bool:
    return (
        len(found) == 1 and found[0].is_version(package.version) and not is_editable(root, found[0])
    )


def _is_surplus(distribution: Distribution, fit: Fit) -> bool:
    """Tell whether `--exact` removes what is not in the bundle; as with `uv pip sync`, seeds stay."""
    before_312 = tuple(map(int, fit.interpreter.markers["python_version"].split("."))) < (3, 12)
    seeds = _SEEDS if before_312 else ("pip", "uv")
    return distribution.name not in seeds


def _refuse_own_removal(merge: MergePlan) -> None:
    if "wheelferry-installer" in {distribution.name for distribution in merge.surplus} and (
        Path(os.path.realpath(sys.prefix)) == merge.place.root
    ):
        raise ConflictError(
            f"--exact would remove wheelferry itself, which runs from {merge.place.root}",
            hint="run a wheelferry that is installed elsewhere",
        )
