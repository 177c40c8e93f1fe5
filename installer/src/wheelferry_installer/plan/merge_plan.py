"""Decides what installing a bundle into an existing tree will do; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.plan.environment_plan import refuse_succession
from wheelferry_installer.plan.fitting import Fit
from wheelferry_installer.plan.install_options import InstallOptions
from wheelferry_installer.plan.package_changes import (
    PackageChanges,
    PackageVersion,
    State,
    state_of,
)
from wheelferry_schemas.bundle.manifest import Package
from wheelferry_schemas.errors import ConflictError, UnfitError
from wheelferry_schemas.receipt import Receipt

if TYPE_CHECKING:
    from wheelferry_installer.environment.distributions import Distribution
    from wheelferry_installer.environment.present import PresentPlace
    from wheelferry_installer.host.places import Place
    from wheelferry_installer.verify.verification import VerifiedBundle

_SEEDS = ("pip", "setuptools", "wheel", "uv")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """An installation of one target of a bundle into a place.

    `added` packages will be installed, `left` ones already are. `replaced` distributions are other
    versions of the added ones, `surplus` ones are not in the bundle; both will be removed.
    `present` is what is installed now.
    """

    bundle: VerifiedBundle
    place: Place
    fit: Fit
    options: InstallOptions
    present: PresentPlace
    added: tuple[Package, ...]
    left: tuple[Package, ...]
    replaced: tuple[Distribution, ...]
    surplus: tuple[Distribution, ...]

    @property
    def environment(self) -> Path:
        """The root of the place."""
        return self.place.root

    @property
    def receipt(self) -> Receipt | None:
        """The receipt of what wheelferry has installed there."""
        return self.present.receipt

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages of the bundle that are for this place."""
        return self.fit.packages

    @property
    def changes(self) -> PackageChanges:
        """What this merge changes."""
        before = state_at(self.present.distributions, self.receipt)
        gone = {distribution.name for distribution in (*self.replaced, *self.surplus)}
        packages = [package for package in before.packages if package.name not in gone]
        packages += (PackageVersion(p.name, p.version, p.sha256) for p in self.added)
        after = State(
            generation=None, manifest_sha256=self.bundle.sha256, packages=tuple(sorted(packages))
        )
        return PackageChanges(before=before, after=before if self.up_to_date else after)

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do, not even to write a new receipt."""
        return (
            not (self.added or self.surplus)
            and self.receipt is not None
            and self.receipt.manifest_sha256 == self.bundle.sha256
            and self.receipt.target == self.fit.target.id
        )

    def renewed(self, present: PresentPlace) -> MergePlan:
        """Return the plan for what exists now; raises as `plan` does."""
        return plan(self.bundle, self.place, present, self.fit, self.options)


def plan(
    bundle: VerifiedBundle, place: Place, present: PresentPlace, fit: Fit, options: InstallOptions
) -> MergePlan:
    """Compare a bundle with what is installed in a place.

    Raises `OutdatedError` if that came from a newer bundle, `UnfitError` if the interpreter would
    not find the packages, and `ConflictError` if wheelferry itself would be removed or the place
    belongs to a bundle of another name.
    """
    _refuse_unsearched(place)
    refuse_succession(
        bundle,
        present.receipt,
        place.root,
        replace_other=options.replace,
        allow_downgrade=options.allow_downgrade,
    )
    others: dict[str, list[Distribution]] = {}
    for distribution in present.distributions:
        others.setdefault(distribution.name, []).append(distribution)
    added, left, replaced = [], [], []
    for package in fit.packages:
        found = others.pop(package.name, [])
        if not options.reinstall and _is_satisfied(package, found, present):
            left.append(package)
        else:
            added.append(package)
            replaced += found
    surplus = [d for found in others.values() for d in found if _is_surplus(d, fit)]
    merge = MergePlan(
        bundle=bundle,
        place=place,
        fit=fit,
        options=options,
        present=present,
        added=tuple(added),
        left=tuple(left),
        replaced=tuple(replaced),
        surplus=tuple(surplus) if options.exact else (),
    )
    _refuse_own_removal(merge)
    return merge


def state_at(there: Iterable[Distribution], receipt: Receipt | None) -> State:
    """Return the state of a place with these distributions, whichever tool installed them."""
    return replace(
        state_of(receipt), packages=tuple(PackageVersion(d.name, d.version) for d in there)
    )


def _is_satisfied(package: Package, found: list[Distribution], present: PresentPlace) -> bool:
    return (
        len(found) == 1
        and found[0].is_version(package.version)
        and found[0] not in present.editable
    )


def _is_surplus(distribution: Distribution, fit: Fit) -> bool:
    """Return whether `--exact` removes a distribution; seeds stay, as with `uv pip sync`."""
    before_312 = tuple(map(int, fit.interpreter.markers["python_version"].split("."))) < (3, 12)
    seeds = _SEEDS if before_312 else ("pip", "uv")
    return distribution.name not in seeds


def _refuse_unsearched(place: Place) -> None:
    """Raise `UnfitError` if the interpreter searches the place, but not the folders for packages.

    A place that it does not search at all is left to the user to put on a path.
    """
    if place.unsearched and place.searched:
        raise UnfitError(
            f"{place.interpreter} looks for packages in {place.searched[0]}, not in "
            f"{place.unsearched[0]}",
            hint="make an environment with --venv, and link the commands that you need into "
            f"{place.root / place.schemes['scripts']}",
        )


def _refuse_own_removal(merge: MergePlan) -> None:
    if merge.present.runs_this and "wheelferry-installer" in {one.name for one in merge.surplus}:
        raise ConflictError(
            f"--exact would remove wheelferry itself, which runs from {merge.place.root}",
            hint="run a wheelferry that is installed elsewhere",
        )
