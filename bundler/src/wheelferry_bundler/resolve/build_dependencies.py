"""Adds the build dependencies of local projects, for editable installs on the air-gapped host.

These are `build-system.requires` (PEP 518) and what the backend requests in addition for an
editable wheel (PEP 660), with all dependencies, at versions compatible with the lock.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelferry_bundler.build.build_python import interpreter_for
from wheelferry_bundler.build.source_copies import LEGACY_BACKEND, LEGACY_REQUIRES
from wheelferry_bundler.model.locked import Dependency, LockedSet
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.urls import redacted
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.read.toml_tables import read_toml
from wheelferry_bundler.resolve.uv_resolving import UvQuestion, resolve, run_uv, uv_environment
from wheelferry_bundler.select.selection import Selection
from wheelferry_schemas.errors import BuildError
from wheelferry_schemas.target import Target

_SHOWN_LINES = 20
_HOOK = """
import importlib, json, os, sys
# A backend must not see the logins of indexes.
for variable in [variable for variable in os.environ if variable.startswith(("UV_", "PIP_"))]:
    del os.environ[variable]
name, _, attribute = sys.argv[1].partition(":")
sys.path[:0] = [os.path.abspath(folder) for folder in sys.argv[2:]]
backend = importlib.import_module(name)
for part in filter(None, attribute.split(".")):
    backend = getattr(backend, part)
hook = getattr(backend, "get_requires_for_build_editable", None)
output = os.dup(1)
os.dup2(2, 1)
requires = list(hook() if hook else [])
os.write(output, json.dumps(requires).encode())
"""


def add_build_dependencies(
    locked: LockedSet, selection: Selection, options: BuildOptions
) -> LockedSet:
    """Return `locked` with the build dependencies of a selection's local projects.

    Raises `UnfitError` where they conflict with the lock, `BuildError` where a backend does not
    state its requirements, and as `resolve`.
    """
    projects = [
        (chosen.package.source.path / (chosen.package.source.subdirectory or ""), chosen.package)
        for chosen in selection.chosen
        if chosen.package.source.kind == "directory" and chosen.package.source.path is not None
    ]
    if not projects:
        return locked
    first = projects[0][0]
    options = dataclasses.replace(options, constraints=locked.build_constraints)
    needed = {
        requirement
        for folder, package in projects
        for requirement in (*_needed(folder, selection.target, options), *package.build_requires)
    }
    pins = [
        f"{chosen.package.name}=={chosen.package.key.version}\n"
        for chosen in selection.chosen
        if chosen.package.key.version is not None and chosen.package.source.kind != "directory"
    ]
    question = UvQuestion(
        about="what the project needs to be built",
        folder=first,
        text="".join(f"{requirement}\n" for requirement in sorted(needed)),
        constraints="".join((*pins, *(f"{line}\n" for line in locked.build_constraints))),
        options=options,
    )
    resolved = resolve(question, selection.target)
    found = read_pylock(resolved.lock, first, Wanted(), name=locked.name, kind=locked.kind)
    locked = resolved.narrowed(locked, locked.requires_python)
    return _joined(locked, found, {chosen.package.name for chosen in selection.chosen})


def _joined(locked: LockedSet, found: LockedSet, known: Iterable[str]) -> LockedSet:
    """Return `locked` with the packages of `found` that are not selected yet."""
    known = frozenset(known)
    packages = dict(locked.packages)
    edges = list(locked.edges)
    for edge in found.edges:
        if edge.key.name not in known:
            key = dataclasses.replace(edge.key, source=f"build dependency {edge.key.source}")
            packages[key] = dataclasses.replace(found.packages[edge.key], key=key)
            edges.append(Dependency(key=key, marker=edge.marker))
    return dataclasses.replace(locked, packages=packages, edges=tuple(edges))


def _needed(folder: Path, target: Target, options: BuildOptions) -> tuple[str, ...]:
    path = folder / "pyproject.toml"
    system = read_toml(path).table("build-system") if path.is_file() else None
    if system is None or "requires" not in system:
        return LEGACY_REQUIRES
    requires = system.texts("requires")
    backend = system.optional_text("build-backend") or LEGACY_BACKEND
    asked = _ask_backend(
        folder, [backend, *system.texts("backend-path")], requires, target, options
    )
    return (*requires, *asked)


def _concerning(requires: Sequence[str], options: BuildOptions) -> Iterator[str]:
    """Yield the constraints on required packages: `uv run` accepts requirements only."""
    names = set(map(_name, requires))
    for constraint in options.constraints:
        if _name(constraint) in names:
            yield constraint


def _name(requirement: str) -> str | None:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        # uv reports it.
        return None


def _ask_backend(
    folder: Path,
    arguments: Sequence[str],
    requires: Sequence[str],
    target: Target,
    options: BuildOptions,
) -> tuple[str, ...]:
    """Return what a backend requires besides `requires` for an editable wheel."""
    command = [
        *("run", "--quiet", "--no-project", "--isolated"),
        *("--python", str(interpreter_for(target).path)),
        *(f"--with={requirement}" for requirement in (*requires, *_concerning(requires, options))),
        *(f"--find-links={folder.path.resolve()}" for folder in options.locations.folders),
        *("python", "-c", _HOOK, *arguments),
    ]
    environment = {**uv_environment(options.locations), "PYTHONDONTWRITEBYTECODE": "1"}
    run = run_uv(command, folder, environment)
    try:
        answer = json.loads(run.stdout) if run.returncode == 0 else None
    except ValueError:
        answer = None
    if not isinstance(answer, list) or not all(isinstance(text, str) for text in answer):
        said = redacted(run.stderr.decode(errors="replace")).splitlines()
        raise BuildError(
            f"{arguments[0]} does not state what it needs to build {os.path.basename(folder)}",
            details=said[-_SHOWN_LINES:],
            hint="leave --with-build-deps out, or correct build-system in its pyproject.toml",
        )
    return tuple(answer)
