"""Resolves requirements with uv for one target, or looks up those that are fully pinned.

pip evaluates markers for the host that it runs on, whatever `--platform` says; uv evaluates them
for its `--python-platform`. A file that pins everything with hashes is not resolved: uv only looks
up its files. If a requirement lists hashes, no other file is accepted.

If pins leave uv no choice, it is run once for all targets: the result is a lock, and selection
evaluates its markers.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wheelferry_bundler.model.bundle_names import named_after
from wheelferry_bundler.model.locked import Artifact, LockedPackage, LockedSet
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.inputs import Source
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.read.requirement_lines import RequirementLines
from wheelferry_bundler.resolve.scripts import read_script
from wheelferry_bundler.resolve.unlocked_project import read_unlocked_project
from wheelferry_bundler.resolve.uv_resolving import UvQuestion, find_uv, resolve, resolve_for_all
from wheelferry_schemas.errors import (
    BuildError,
    MalformedError,
    UnfitError,
    UsageError,
    WheelferryError,
)
from wheelferry_schemas.target import Target

_WORKERS = min(4, os.cpu_count() or 1)


def read_requirements(
    source: Source, target: Target, wanted: Wanted, options: BuildOptions | None = None
) -> LockedSet:
    """Read a requirements file, a pyproject.toml or a script for one target.

    Raises `MalformedError`, `UnfitError` where nothing satisfies the requirements for the target,
    `TransferError` where the index cannot be asked, `UsageError` for flags that do not apply.
    """
    options = options or BuildOptions()
    if source.lines is not None:
        return _File.of(source, source.lines, wanted, options).resolved(target)
    if source.kind == "script":
        return read_script(source.path, target, wanted, options)
    return read_unlocked_project(source.path, target, wanted, options)


def read_requirements_for_all(
    source: Source,
    targets: Sequence[Target],
    wanted: Wanted,
    options: BuildOptions | None = None,
) -> Mapping[str, LockedSet]:
    """Read requirements for several targets in parallel; returns the result for each by its id.

    Raises as `read_requirements`, one error for all targets.
    """
    read: Callable[[Target], LockedSet] = partial(
        read_requirements, source, wanted=wanted, options=options
    )
    if source.lines is not None:
        file = _File.of(source, source.lines, wanted, options or BuildOptions())
        if (pinned := file.pinned(targets)) is not None:
            return {target.id: pinned for target in targets}
        read = file.resolved
    locked: dict[str, LockedSet] = {}
    problems: list[WheelferryError] = []
    find_uv()
    with ThreadPoolExecutor(_WORKERS) as pool:
        jobs = {target.id: pool.submit(read, target) for target in targets}
        for target_id, job in jobs.items():
            try:
                locked[target_id] = job.result()
            except WheelferryError as error:
                problems.append(error)
    if problems:
        raise _joined(problems, len(targets))
    return locked


def _joined(problems: Sequence[WheelferryError], targets: int) -> WheelferryError:
    if len({problem.message for problem in problems}) == 1:
        return problems[0]
    hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
    # The log of a build that fails for every target is shown once.
    about: dict[Sequence[str], list[str]] = {}
    for problem in problems:
        about.setdefault(problem.details, []).append(problem.message)
    return type(problems[0])(
        f"{len(problems)} of {targets} targets could not be resolved",
        details=[line for said, messages in about.items() for line in (*messages, *said)],
        hint="; ".join(hints) or None,
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A requirements file, and the question to uv."""

    path: Path
    wanted: Wanted
    lines: RequirementLines
    question: UvQuestion

    @classmethod
    def of(
        cls, source: Source, lines: RequirementLines, wanted: Wanted, options: BuildOptions
    ) -> _File:
        path = source.path
        if wanted.extras or wanted.groups or wanted.only_groups or wanted.packages:
            raise UsageError(
                f"{path.name} has no extras, groups or packages to choose from",
                hint="name the pyproject.toml or the lock of the project instead",
            )
        question = UvQuestion(
            about=path.name,
            folder=source.folder.resolve(),
            text=lines.text,
            constraints=lines.constraints,
            closed=lines.complete,
            prereleases=lines.prereleases,
            options=options,
        )
        return cls(path, wanted, lines, question)

    def resolved(self, target: Target) -> LockedSet:
        """Return the result for one target."""
        resolved = resolve(self.question, target)
        return resolved.narrowed(self.locked(resolved.lock))

    def pinned(self, targets: Sequence[Target]) -> LockedSet | None:
        """Return the common result for all targets, None where the pins leave a choice."""
        if not self.lines.pinned:
            return None
        try:
            locked = self.locked(resolve_for_all(self.question, targets))
        except (BuildError, MalformedError, UnfitError):
            # The problem may concern platforms that were not requested.
            return None
        return locked if self.lines.asked.keys() >= {key.name for key in locked.packages} else None

    def locked(self, data: bytes) -> LockedSet:
        """Return uv's result without the files that the listed hashes exclude."""
        folder, listed = self.question.folder, self.lines.hashes
        locked = read_pylock(
            data,
            folder,
            self.wanted,
            name=named_after(self.path.resolve().parent, "requirements"),
            kind="requirements.txt",
            closed=not self.question.closed,
        )
        packages = {
            key: _only_listed(
                _with_relative_location(package, folder), listed.get(package.name), self.path.name
            )
            for key, package in locked.packages.items()
        }
        return dataclasses.replace(locked, packages=packages, asked=self.asked(locked))

    def asked(self, locked: LockedSet) -> Mapping[str, frozenset[str]]:
        """Return the packages that the file requests; a path or URL may state no name."""
        direct = (
            key.name
            for key, package in locked.packages.items()
            if self.lines.unnamed and package.source.kind != "registry"
        )
        return {**dict.fromkeys(direct, frozenset()), **self.lines.asked}


def _with_relative_location(package: LockedPackage, folder: Path) -> LockedPackage:
    """Return the package with a relative location, which does not reveal paths of this host."""
    source = package.source
    if source.path is None or not os.path.isabs(source.location):
        return package
    location = Path(os.path.relpath(source.path, folder)).as_posix()
    return dataclasses.replace(package, source=dataclasses.replace(source, location=location))


def _only_listed(
    package: LockedPackage, listed: frozenset[str] | None, file_name: str
) -> LockedPackage:
    if listed is None:
        return package

    def is_listed(artifact: Artifact) -> bool:
        return artifact.sha256 in listed

    wheels = tuple(filter(is_listed, package.wheels))
    sdist = package.sdist if package.sdist and is_listed(package.sdist) else None
    if not wheels and sdist is None:
        raise MalformedError(
            f"none of the hashes that {file_name} lists for {package.key} is that of a file on "
            "the index",
            hint="lock again with hashes (uv pip compile --generate-hashes), and find out why "
            "they differ",
        )
    return dataclasses.replace(package, wheels=wheels, sdist=sdist)
