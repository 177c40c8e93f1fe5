"""Checks selections against the metadata of their wheels, before and after fetching.

Before fetching, the METADATA that indexes offer beside wheels is used; packages that have to be
built have none until then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from wheelferry_bundler.fetch.stated_metadata import read_stated, stated_by
from wheelferry_bundler.model.locked import Artifact, LockedPackage, PackageKey
from wheelferry_bundler.select.closure import (
    Closure,
    Demand,
    IncompleteError,
    Need,
    Stated,
    close,
    tops,
)
from wheelferry_bundler.select.host_variants import at_patch, narrowed, patch_parts
from wheelferry_bundler.select.patch_releases import own_patch
from wheelferry_bundler.select.selection import Chosen, Selection, select
from wheelferry_schemas.errors import TransferError, UnfitError

if TYPE_CHECKING:
    from wheelferry_bundler.build.building import Built
    from wheelferry_bundler.create.bundle_plan import BundlePlan
    from wheelferry_bundler.create.creation import Progress
    from wheelferry_bundler.fetch.cache import Cache
    from wheelferry_bundler.fetch.fetching import Fetched
    from wheelferry_schemas.target import Target

_ByPackage = Mapping[PackageKey, Stated]


def check_closure(plan: BundlePlan, cache: Cache, progress: Progress) -> BundlePlan:
    """Return the plan with missing packages as problems, and with warnings.

    Selections that a resolver made for their target are not checked. Raises `MalformedError` for an
    invalid wheel, and `TransferError` where the metadata of wheels cannot be fetched.
    """
    wheels = dict.fromkeys(
        chosen.wheel
        for selection in plan.selections
        for chosen in selection.chosen
        if chosen.wheel is not None and not selection.locked.closed
    )
    if not wheels:
        return plan
    progress.step("checking", len(wheels))
    try:
        stated = read_stated(
            wheels,
            cache,
            plan.request.building.locations,
            progress.advance,
            # With other problems the bundle fails anyway, so no wheel is fetched.
            without_wheels=bool(plan.problems),
        )
    except TransferError:
        if plan.problems:
            # These come first: they may be why an index cannot be reached.
            return plan
        raise
    selections: list[Selection] = []
    closures: list[tuple[Selection, Closure]] = []
    for selection, target in zip(plan.selections, plan.request.targets, strict=True):
        if selection.locked.closed:
            selections.append(selection)
            continue
        own = _of_chosen(selection, stated)
        settled, closure = _settled(_for_their_pythons(selection, target, own), own)
        closures.append((settled, closure))
        selections.append(settled)
    known = {(target_id, str(problem)) for target_id, problem in plan.problems}
    missing = {s.target.id: closure.missing for s, closure in closures if closure.missing}
    error = IncompleteError(plan.made_from.name, missing) if missing else None
    return dataclasses.replace(
        plan,
        selections=tuple(selections),
        problems=(
            *plan.problems,
            *(
                (selection.target.id, problem)
                for selection in selections
                for problem in selection.problems
                if (selection.target.id, str(problem)) not in known
            ),
            *((target_id, error) for target_id in missing if error is not None),
        ),
        warnings=tuple(dict.fromkeys(_warnings(closures, stated.values()))),
    )


def with_dependencies(
    plan: BundlePlan,
    fetched: Mapping[Artifact, Fetched],
    built: Mapping[tuple[PackageKey, str], Built],
) -> tuple[Selection, ...]:
    """Return the selections with the dependencies that wheels state, where the lock states none.

    Raises `UnfitError` where packages are missing that only these wheels require, and
    `MalformedError` for an invalid wheel.
    """
    read: dict[str, Stated | None] = {}
    done: list[Selection] = []
    missing: dict[str, Sequence[Need]] = {}
    for selection in plan.selections:
        if selection.locked.kind == "uv.lock":
            done.append(selection)
            continue
        stated: dict[PackageKey, Stated] = {}
        for chosen in selection.chosen:
            key = chosen.package.key
            file_name, sha256, path = _file_of(chosen, selection.target.id, fetched, built)
            if sha256 not in read:
                read[sha256] = stated_by(path, file_name)
            if (found := read[sha256]) is not None:
                stated[key] = found
        if selection.locked.closed:
            closure = _closure(selection, stated, selection.target.markers.plain())
            done.append(_depending(selection, closure))
            continue
        settled, closure = _settled(selection, stated)
        if closure.missing:
            missing[selection.target.id] = closure.missing
        for problem in settled.problems:
            raise problem
        done.append(_depending(settled, closure))
    if missing:
        raise IncompleteError(plan.made_from.name, missing)
    return tuple(done)


def _settled(selection: Selection, stated: _ByPackage) -> tuple[Selection, Closure]:
    """Return a selection narrowed to the patch releases that lack nothing, and its closure."""
    target = selection.target
    allowed = SpecifierSet(target.requires_python)
    own = own_patch(target, allowed) or 0
    markers = (str(r.marker) for found in stated.values() for r in found.requires if r.marker)
    closures = {
        part: _closure(selection, stated, at_patch(target, own if own in part else part.first))
        for part in patch_parts(target, markers, [allowed])
    }
    needs = {
        part: frozenset(
            PackageKey(name=need.name, version=None, source="") for need in closure.missing
        )
        for part, closure in closures.items()
    }
    closure = next(closure for part, closure in closures.items() if own in part)
    if closure.missing or not any(needs.values()):
        return selection, closure
    try:
        target, note = narrowed(target, own, needs)
    except UnfitError as error:
        problems = (*selection.problems, error)
        return dataclasses.replace(selection, problems=problems), closure
    notes = (*selection.notes, *([note] if note else []))
    return dataclasses.replace(selection, target=target, notes=notes), closure


def _closure(selection: Selection, stated: _ByPackage, environment: Mapping[str, str]) -> Closure:
    locked = selection.locked
    versions = {chosen.package.name: _version(chosen) for chosen in selection.chosen}
    if selection.problems:
        # Packages with a reported problem are not missing as well.
        versions = {**dict.fromkeys(key.name for key in locked.packages), **versions}
    return close(
        versions,
        {key.name: found for key, found in stated.items()},
        Demand(extras=locked.asked or {}, left_out=locked.left_out),
        environment,
    )


def _version(chosen: Chosen) -> str | None:
    return chosen.wheel.name_and_version[1] if chosen.wheel else chosen.package.key.version


def _of_chosen(selection: Selection, stated: Mapping[str, Stated]) -> _ByPackage:
    return {
        chosen.package.key: found
        for chosen in selection.chosen
        if chosen.wheel is not None and (found := stated.get(chosen.wheel.sha256 or ""))
    }


def _for_their_pythons(selection: Selection, target: Target, stated: _ByPackage) -> Selection:
    """Return the selection that also respects the Pythons that the packages' metadata requires."""

    def with_python(package: LockedPackage) -> LockedPackage:
        found = stated.get(package.key)
        if package.requires_python is not None or found is None or found.requires_python is None:
            return package
        return dataclasses.replace(package, requires_python=found.requires_python)

    locked = selection.locked
    packages = {key: with_python(package) for key, package in locked.packages.items()}
    if packages == locked.packages:
        return selection
    return select(dataclasses.replace(locked, packages=packages), target)


def _file_of(
    chosen: Chosen,
    target_id: str,
    fetched: Mapping[Artifact, Fetched],
    built: Mapping[tuple[PackageKey, str], Built],
) -> tuple[str, str, Path]:
    """Return the file name, sha256 and path of a package's wheel."""
    if chosen.wheel is None:
        own = built[chosen.package.key, target_id]
        return own.wheel.file_name, own.file.sha256, own.file.path
    file = fetched[chosen.wheel]
    return chosen.wheel.file_name, file.sha256, file.path


def _depending(selection: Selection, closure: Closure) -> Selection:
    chosen = tuple(
        dataclasses.replace(
            each, dependencies=tuple(sorted(closure.needed.get(each.package.name, ())))
        )
        for each in selection.chosen
    )
    # A pylock.toml does not record the requirements that it was made for.
    roots = selection.roots if selection.locked.asked is not None else tops(closure.needed)
    return dataclasses.replace(selection, chosen=chosen, roots=roots)


def _warnings(
    closures: Iterable[tuple[Selection, Closure]], stated: Iterable[Stated]
) -> Iterator[str]:
    for selection, closure in closures:
        versions = {chosen.package.name: _version(chosen) for chosen in selection.chosen}
        for need in closure.other_version:
            yield f"{need.by} asks for {need.requirement}, what is locked is {versions[need.name]}"
    for found in stated:
        for text in found.unreadable:
            yield f"{found.name} {found.version} states an invalid requirement: {text!r}"
