"""Creates a planned bundle: fetches, builds, signs and writes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wheelferry_bundler.build import building
from wheelferry_bundler.build.building import Built
from wheelferry_bundler.create.bundle_plan import BundlePlan
from wheelferry_bundler.create.completeness import with_dependencies
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import Fetched, fetch, total_size
from wheelferry_bundler.model.locked import Artifact, PackageKey
from wheelferry_bundler.sign.signing_keys import Signer
from wheelferry_bundler.write.archive_writer import ChangedFileError, write_archive
from wheelferry_bundler.write.assembly import BundleIdentity, assemble
from wheelferry_schemas.bundle.manifest import Manifest, serialize
from wheelferry_schemas.errors import UsageError

_LATEST = 253_402_300_799
"""The last second of the year 9999, which is as far as times in a manifest go."""


class Progress(Protocol):
    """What is told how far a run is, from several threads."""

    def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
        """Begin a phase of `total` bytes, or of a number of what `noun` names; None: unknown."""

    def advance(self, item: str, amount: int, /) -> None:
        """Go on by `amount`; `item` is what is worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A bundle that was written; `sha256` is that of a file that installs itself."""

    path: Path
    size: int
    manifest: Manifest
    signers: tuple[Signer, ...]
    sha256: str | None = None


def create(
    plan: BundlePlan,
    output: Path,
    cache: Cache,
    created: int,
    signers: Sequence[Signer],
    progress: Progress,
) -> Created:
    """Fetch, build, sign and write a complete plan.

    `created` is in seconds since the epoch. Signers are used when everything else is there.
    Raises `WheelferryError`; then `output` is as it was.
    """
    fetched = _fetch(plan, cache, progress)
    with cache.workspace() as workspace:
        built = _build(plan, fetched, cache, workspace, progress)
        selections = with_dependencies(plan, fetched, built)
        identity = BundleIdentity(
            name=plan.name,
            version=plan.version,
            made_from=plan.made_from,
            created=created,
            expires=plan.request.expires,
        )
        assembly = assemble(identity, selections, fetched, built, plan.request.pythons)
        data = serialize(assembly.manifest)
        signatures = [signer.sign(data) for signer in signers]
        progress.step("writing", sum(package.size for package in assembly.manifest.packages))
        try:
            size = write_archive(
                output,
                assembly.manifest,
                data,
                signatures,
                assembly.members,
                lambda advanced: progress.advance("", advanced),
            )
        except ChangedFileError as error:
            # Otherwise a damaged file would stay in the cache and fail every later run.
            cache.drop(error.sha256)
            raise
    return Created(path=output, size=size, manifest=assembly.manifest, signers=tuple(signers))


def check_times(created: int, expires: int | None) -> None:
    """Raise `UsageError` for times that no manifest can state, or that are in the wrong order."""
    for moment in (created, *(() if expires is None else (expires,))):
        if not 0 <= moment <= _LATEST:
            raise UsageError(
                f"{moment} is not a time that a bundle can state",
                hint="state seconds since 1970, up to the year 9999",
            )
    if expires is not None and expires <= created:
        raise UsageError("the bundle would expire before it is made", hint="choose a later time")


def _fetch(plan: BundlePlan, cache: Cache, progress: Progress) -> Mapping[Artifact, Fetched]:
    artifacts = [
        artifact
        for selection in plan.selections
        for chosen in selection.chosen
        if (artifact := chosen.wheel or chosen.package.sdist)
    ]
    progress.step("fetching", total_size(artifacts))
    return fetch(artifacts, cache, progress.advance, plan.request.building.locations)


def _build(
    plan: BundlePlan,
    fetched: Mapping[Artifact, Fetched],
    cache: Cache,
    workspace: Path,
    progress: Progress,
) -> Mapping[tuple[PackageKey, str], Built]:
    wanted = [
        (chosen.package, selection.target)
        for selection in plan.selections
        for chosen in selection.chosen
        if chosen.wheel is None
    ]
    progress.step("building", len({package.key for package, _ in wanted}), "package")
    constraints = (
        line for selection in plan.selections for line in selection.locked.build_constraints
    )
    return building.build_all(
        wanted,
        fetched,
        cache,
        workspace,
        dataclasses.replace(plan.request.building, constraints=tuple(dict.fromkeys(constraints))),
        lambda package: progress.advance(str(package.key), 1),
    )
