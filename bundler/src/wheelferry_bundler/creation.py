"""Makes a bundle: read -> select -> fetch -> write, each step a value for the next."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from wheelferry_bundler import building, documents
from wheelferry_bundler.archive import write_archive
from wheelferry_bundler.building import Built
from wheelferry_bundler.cache import Cache
from wheelferry_bundler.fetching import Fetched, fetch
from wheelferry_bundler.inputs import Input
from wheelferry_bundler.locked import Artifact, LockedPackage, LockedSet, PackageKey, Wanted
from wheelferry_bundler.pylock import read_pylock
from wheelferry_bundler.requirements import read_requirements
from wheelferry_bundler.selection import Chosen, Selection, select
from wheelferry_bundler.signing import Signer
from wheelferry_bundler.toml_tables import read_input
from wheelferry_bundler.uv_lock import read_uv_lock
from wheelferry_bundler.wheel_metadata import read_wheel_metadata
from wheelferry_schemas import __version__, layout
from wheelferry_schemas.errors import MalformedError, UnfitError, WheelferryError
from wheelferry_schemas.manifest import (
    Document,
    MadeFrom,
    Manifest,
    Package,
    Source,
    format_timestamp,
    serialize,
)
from wheelferry_schemas.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a bundle would hold: the input as it was read, and a selection for each target."""

    made_from: MadeFrom
    name: str
    version: str | None
    selections: tuple[Selection, ...]

    @property
    def problems(self) -> tuple[WheelferryError, ...]:
        """Everything that stands in the way, of all targets."""
        return tuple(problem for selection in self.selections for problem in selection.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a run tells what it is doing. `step` opens a phase of `total` units."""

    step: Callable[[str, int], None]
    advance: Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A bundle that was written."""

    path: Path
    size: int
    manifest: Manifest
    signers: tuple[Signer, ...]


def plan(source: Input, targets: Sequence[Target], wanted: Wanted, options: Sequence[str]) -> Plan:
    """Read the input and select for every target; nothing is fetched.

    Only requirements that are not a lock need an index here. Raises `WheelferryError` where the
    input cannot be read; what is missing for a target is a problem of the plan instead.
    """
    data = read_input(source.path)
    selections = []
    locked: LockedSet | None = None
    for target in targets:
        if locked is None or source.kind == "requirements.txt":
            locked = _read(source, data, target, wanted)
        selection = select(locked, target)
        selections.append(_with_missing_hashes(selection))
    assert locked is not None
    return Plan(
        made_from=MadeFrom(
            kind=source.kind,
            name=source.path.name,
            sha256=hashlib.sha256(data).hexdigest(),
            options=tuple(options),
        ),
        name=locked.name,
        version=locked.version,
        selections=tuple(selections),
    )


def check_complete(plan: Plan) -> None:
    """Raise one `UnfitError` (or what is graver) that names everything that is missing."""
    problems = plan.problems
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    # One family for all: malformed input outweighs what merely does not fit.
    kind = MalformedError if any(isinstance(p, MalformedError) for p in problems) else UnfitError
    raise kind(
        f"{len(problems)} things stand in the way of this bundle",
        details=[
            line
            for problem in problems
            for line in (problem.message, *((f"  hint: {problem.hint}",) if problem.hint else ()))
        ],
        hint="nothing was fetched or written; each line above says what would do",
    )


def create(
    plan: Plan,
    output: Path,
    cache: Cache,
    created: int,
    signers: Callable[[], Sequence[Signer]],
    progress: Progress,
    expires: int | None = None,
) -> Created:
    """Fetch, build and write what a complete plan holds.

    `created` and `expires` are in seconds since the epoch; `signers` is called when everything
    else is there.

    Raises `WheelferryError`; then `output` is as it was.
    """
    check_complete(plan)
    with ExitStack() as stack:
        fetched = _fetch(plan, cache, progress)
        to_build = _to_build(plan)
        workspace = stack.enter_context(cache.workspace())
        progress.step("building", len(to_build))
        built = {}
        for package in to_build:
            progress.advance(str(package.key), 0)
            built[package.key] = building.build(package, fetched, workspace, cache.folder / "logs")
            progress.advance(str(package.key), 1)
        _check_built(plan, built)
        packages, files = _packages(plan, fetched, built)
        targets = tuple(selection.target for selection in plan.selections)
        texts = _documents(plan, targets, packages, created)
        manifest = Manifest(
            format=1,
            name=plan.name,
            version=plan.version,
            created=format_timestamp(created),
            expires=None if expires is None else format_timestamp(expires),
            tool=f"wheelferry {__version__}",
            made_from=plan.made_from,
            targets=targets,
            roots=tuple(sorted({root for s in plan.selections for root in s.roots})),
            packages=packages,
            documents=tuple(
                Document(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
                for name, data in sorted(texts.items())
            ),
        )
        manifest_bytes = serialize(manifest)
        progress.step("writing", sum(package.size for package in packages))
        signing = tuple(signers())
        size = write_archive(
            output,
            manifest,
            manifest_bytes,
            [signer.sign(manifest_bytes) for signer in signing],
            {**texts, **files},
            lambda advanced: progress.advance("", advanced),
        )
        return Created(path=output, size=size, manifest=manifest, signers=signing)


def _read(source: Input, data: bytes, target: Target, wanted: Wanted) -> LockedSet:
    folder = source.path.resolve().parent
    if source.kind == "uv.lock":
        return read_uv_lock(data, folder, wanted)
    if source.kind == "pylock.toml":
        return read_pylock(data, folder, wanted, name=_pylock_name(source.path))
    return read_requirements(source.path, target, wanted)


def _pylock_name(path: Path) -> str:
    middle = path.name.removeprefix("pylock").removesuffix("toml").strip(".")
    return canonicalize_name(middle) or "pylock"


def _with_missing_hashes(selection: Selection) -> Selection:
    """Add a problem for each file that the lock states no sha256 for: nothing vouches for it."""
    problems = [
        UnfitError(
            f"the lock states no sha256 for {artifact.file_name}",
            hint="lock again with an index that serves hashes",
        )
        for chosen in selection.chosen
        if (artifact := chosen.wheel or chosen.package.sdist) and artifact.sha256 is None
    ]
    return dataclasses.replace(selection, problems=(*selection.problems, *problems))


def _fetch(plan: Plan, cache: Cache, progress: Progress) -> Mapping[str, Fetched]:
    artifacts = {
        artifact.sha256: artifact
        for selection in plan.selections
        for chosen in selection.chosen
        if (artifact := chosen.wheel or chosen.package.sdist)
    }
    progress.step("fetching", len(artifacts))
    return fetch(artifacts.values(), cache, lambda name, _: progress.advance(name, 1))


def _to_build(plan: Plan) -> list[LockedPackage]:
    packages = {
        chosen.package.key: chosen.package
        for selection in plan.selections
        for chosen in selection.chosen
        if chosen.wheel is None
    }
    return list(packages.values())


def _check_built(plan: Plan, built: Mapping[PackageKey, Built]) -> None:
    problems = []
    for selection in plan.selections:
        for chosen in selection.chosen:
            if chosen.wheel is None:
                try:
                    wheel = built[chosen.package.key].wheel
                    building.check_fit(chosen.package, wheel, selection.target)
                except UnfitError as error:
                    problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise UnfitError(
            f"{len(problems)} wheels that were built here do not fit their target",
            details=[problem.message for problem in problems],
            hint=problems[0].hint,
        )


def _packages(
    plan: Plan, fetched: Mapping[str, Fetched], built: Mapping[PackageKey, Built]
) -> tuple[tuple[Package, ...], dict[str, Path]]:
    """Return the manifest's packages, sorted by wheel, and the file of each wheel's member."""
    by_wheel: dict[str, list[tuple[str, Chosen, Artifact]]] = {}
    for selection in plan.selections:
        for chosen in selection.chosen:
            artifact = chosen.wheel or built[chosen.package.key].wheel
            entry = (selection.target.id, chosen, artifact)
            by_wheel.setdefault(artifact.file_name, []).append(entry)
    packages = []
    files = {}
    for wheel, entries in sorted(by_wheel.items()):
        _, chosen, artifact = entries[0]
        if len({same.sha256 for _, _, same in entries}) > 1:
            raise UnfitError(
                f"two different files are called {wheel}",
                hint="they come from two indexes: make one bundle for each of their targets",
            )
        own = built.get(chosen.package.key) if chosen.wheel is None else None
        file = own.file if own else fetched[artifact.sha256 or ""]
        files[layout.wheel_name(wheel)] = file.path
        packages.append(
            Package(
                name=chosen.package.name,
                version=artifact.name_and_version[1],
                wheel=wheel,
                sha256=file.sha256,
                size=file.size,
                license=read_wheel_metadata(file.path, wheel).license,
                dependencies=tuple(sorted({d for _, c, _ in entries for d in c.dependencies})),
                source=_source(chosen.package, own),
                targets=tuple(sorted(target for target, _, _ in entries)),
            )
        )
    return tuple(packages), files


def _source(package: LockedPackage, built: Built | None) -> Source:
    source = package.source
    assert source.kind != "virtual"
    return Source(
        kind=source.kind,
        location=source.location,
        built=built is not None,
        built_from=built.built_from if built else None,
        commit=source.commit,
    )


def _documents(
    plan: Plan, targets: Sequence[Target], packages: Sequence[Package], created: int
) -> dict[str, bytes]:
    # The SBOM library takes a third of a second to import: only who writes one waits for it.
    from wheelferry_bundler import sbom

    roots = sorted({root for selection in plan.selections for root in selection.roots})
    return {
        **documents.lock_documents(targets, packages),
        sbom.FILE_NAME: sbom.make_sbom(plan.name, plan.version, created, roots, packages),
    }
