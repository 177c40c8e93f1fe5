"""Plans a bundle: reads the input and selects for every target, without fetching."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from wheelferry_bundler.build.prebuilt import Prebuilt
from wheelferry_bundler.fetch.python_archives import PythonFile
from wheelferry_bundler.model.bundle_names import named_after
from wheelferry_bundler.model.locked import Artifact, LockedSet
from wheelferry_bundler.model.options import BuildOptions, check_allowed
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.inputs import Source
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.read.pyproject import Pyproject
from wheelferry_bundler.read.toml_tables import read_input
from wheelferry_bundler.read.uv_lock import read_uv_lock
from wheelferry_bundler.resolve.build_dependencies import add_build_dependencies
from wheelferry_bundler.resolve.requirements import read_requirements_for_all
from wheelferry_bundler.select.missing_wheels import MissingWheelError, joined
from wheelferry_bundler.select.selection import Selection, select
from wheelferry_schemas.bundle.manifest import MadeFrom
from wheelferry_schemas.errors import MalformedError, UnfitError, WheelferryError
from wheelferry_schemas.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a bundle is asked for.

    It is called `name`, or after its project. `pythons` are interpreters to carry; `expires` is in
    seconds since the epoch. With `build_dependencies` it holds what local projects need to be
    built; with `missing_hashes` also files that the lock states no hash for.
    """

    source: Source
    name: str | None = None
    targets: Sequence[Target]
    wanted: Wanted = field(default_factory=Wanted)
    building: BuildOptions = field(default_factory=BuildOptions)
    pythons: Sequence[PythonFile] = ()
    build_dependencies: bool = False
    missing_hashes: bool = False
    expires: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePlan:
    """A planned bundle: a selection for each target, and the problems that prevent it.

    `warnings` are about packages that may be incompatible.
    """

    request: Request
    made_from: MadeFrom
    name: str
    version: str | None
    selections: tuple[Selection, ...]
    problems: tuple[tuple[str, WheelferryError], ...]
    warnings: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether a resolver made each selection for its target."""
        return all(selection.locked.closed for selection in self.selections)

    @property
    def unhashed(self) -> tuple[Artifact, ...]:
        """The files that the lock states no sha256 for."""
        return tuple(dict.fromkeys(_unhashed(self.selections)))


def plan(request: Request) -> BundlePlan:
    """Read the input and select for every target.

    Only input that is not a lock needs an index. Raises `WheelferryError` where the input cannot be
    read; whatever is missing for a target is a problem of the plan, with the target's id.
    """
    data = read_input(request.source.path)
    locked = _read(request, data)
    prebuilt = Prebuilt.of(request.building.locations)
    selections = tuple(
        _select(prebuilt.complete(locked[target.id], target), target, request)
        for target in request.targets
    )
    first = locked[request.targets[0].id]
    return BundlePlan(
        request=request,
        made_from=MadeFrom(
            kind=request.source.kind,
            name=request.source.path.name,
            sha256=hashlib.sha256(data).hexdigest(),
            options=_recorded(request.wanted),
        ),
        name=request.name or first.name,
        version=first.version,
        selections=selections,
        problems=tuple(
            (selection.target.id, problem)
            for selection in selections
            for problem in (*selection.problems, *_further_problems(selection, request))
        ),
    )


def check_complete(*plans: BundlePlan) -> None:
    """Raise one error that names everything that is missing, for all targets of all plans."""
    # A problem of several targets is reported once.
    found = {
        (str(problem), problem.hint): problem for plan in plans for _, problem in plan.problems
    }.values()
    missing = [problem for problem in found if isinstance(problem, MissingWheelError)]
    problems = [
        *([joined(missing)] if missing else []),
        *(problem for problem in found if not isinstance(problem, MissingWheelError)),
    ]
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    # There is one family for all: malformed input takes precedence.
    kind = MalformedError if any(isinstance(p, MalformedError) for p in problems) else UnfitError
    raise kind(
        f"{len(problems)} problems prevent this bundle",
        details=[
            line
            for problem in problems
            for line in (
                problem.message,
                *(f"  {detail}" for detail in problem.details),
                *((f"  hint: {problem.hint}",) if problem.hint else ()),
            )
        ],
        hint="nothing was written; each line above says what would help",
    )


def _recorded(wanted: Wanted) -> tuple[str, ...]:
    """Return the selection as the manifest records it: as flags in canonical spelling."""
    options = []
    for field_name in wanted.__slots__:
        value = getattr(wanted, field_name)
        flag = "--" + field_name.replace("_", "-")
        if value is True:
            options.append(flag)
        elif value:
            # Fields with several names are plural, flags are singular.
            options += [f"{flag.removesuffix('s')} {name}" for name in sorted(set(value))]
    return tuple(sorted(options))


def _read(request: Request, data: bytes) -> Mapping[str, LockedSet]:
    source = request.source
    if not source.is_lock:
        return read_requirements_for_all(source, request.targets, request.wanted, request.building)
    folder = source.path.resolve().parent
    if source.kind == "uv.lock":
        locked = read_uv_lock(data, request.wanted, Pyproject.read(folder))
    else:
        locked = read_pylock(data, folder, request.wanted, name=_pylock_name(source.path))
    return {target.id: locked for target in request.targets}


def _pylock_name(path: Path) -> str:
    middle = path.name.removeprefix("pylock").removesuffix("toml").strip(".")
    return canonicalize_name(middle) or named_after(path.resolve().parent, "pylock")


def _select(locked: LockedSet, target: Target, request: Request) -> Selection:
    selection = select(locked, target)
    if not request.build_dependencies or selection.problems or any(_absent(selection)):
        return selection
    return select(add_build_dependencies(locked, selection, request.building), target)


def _further_problems(selection: Selection, request: Request) -> Iterator[WheelferryError]:
    yield from _absent(selection)
    for chosen in selection.chosen:
        if chosen.wheel is None:
            try:
                check_allowed(chosen.package, request.building)
            except UnfitError as error:
                yield error
    if not request.missing_hashes:
        for artifact in _unhashed([selection]):
            yield UnfitError(
                f"the lock states no sha256 for {artifact.file_name}",
                hint="lock again with an index that serves hashes, or, if you trust the "
                "connection, pass --allow-missing-hash",
            )


def _absent(selection: Selection) -> Iterator[UnfitError]:
    """Yield an error for each file or folder in the lock that does not exist on this host."""
    hint = "run this in the complete project, restore it, or lock the project again"
    for chosen in selection.chosen:
        source, artifact = chosen.package.source, chosen.wheel or chosen.package.sdist
        file = None if artifact is None else artifact.path
        if file is not None and not os.path.isfile(file):
            yield UnfitError(f"the file of {chosen.package.key} does not exist: {file}", hint=hint)
        if artifact is None and source.kind == "directory" and source.path is not None:
            folder = source.path / (source.subdirectory or "")
            if not os.path.isdir(folder):
                yield UnfitError(
                    f"the folder of {chosen.package.key} does not exist: {folder}", hint=hint
                )


def _unhashed(selections: Sequence[Selection]) -> Iterator[Artifact]:
    for selection in selections:
        for chosen in selection.chosen:
            artifact = chosen.wheel or chosen.package.sdist
            if artifact is not None and artifact.sha256 is None:
                yield artifact
