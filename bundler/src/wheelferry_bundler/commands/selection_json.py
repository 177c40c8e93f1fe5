"""The selection as JSON, for scripts: the output of `bundle create --dry-run --json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wheelferry_bundler.create.bundle_plan import BundlePlan
from wheelferry_bundler.select.closure import IncompleteError
from wheelferry_bundler.select.missing_wheels import MissingWheelError
from wheelferry_bundler.select.selection import Chosen, Selection
from wheelferry_schemas.errors import MalformedError, WheelferryError


def selection_json(plan: BundlePlan) -> dict[str, Any]:
    """Return `{"targets": […], "problems": […]}`.

    `filename`, `sha256` and `size` are null where a wheel still has to be built, and `size` also
    where the lock does not state it. A problem is of the `kind` "no-wheel", with the `name` and
    `version` of the package, "missing", with its `name`, "unfit" or "malformed".
    """
    return {
        "targets": [_target(selection) for selection in plan.selections],
        "problems": [
            entry for target, problem in plan.problems for entry in _problems(target, problem)
        ],
    }


def _problems(target: str, problem: WheelferryError) -> Iterator[dict[str, Any]]:
    """Yield what a problem says of a target: one entry for each package that is missing."""
    if isinstance(problem, IncompleteError):
        for name, each in problem.apart(target).items():
            yield _problem(target, each, "missing", name)
    elif isinstance(problem, MissingWheelError):
        key = problem.package.key
        yield _problem(target, problem, "no-wheel", key.name, key.version)
    else:
        kind = "malformed" if isinstance(problem, MalformedError) else "unfit"
        yield _problem(target, problem, kind)


def _problem(
    target: str,
    problem: WheelferryError,
    kind: str,
    name: str | None = None,
    version: str | None = None,
) -> dict[str, Any]:
    return {
        "target": target,
        "kind": kind,
        "name": name,
        "version": version,
        "message": problem.message,
        "details": list(problem.details),
        "hint": problem.hint,
    }


def _target(selection: Selection) -> dict[str, Any]:
    return {
        "id": selection.target.id,
        "python": selection.target.markers.python_version,
        "requires_python": selection.target.requires_python,
        "notes": list(selection.notes),
        "platforms": list(selection.target.platforms),
        "packages": [_package(chosen) for chosen in selection.chosen],
    }


def _package(chosen: Chosen) -> dict[str, Any]:
    wheel = chosen.wheel
    return {
        "name": chosen.package.name,
        "version": chosen.package.key.version,
        "source": chosen.package.source.kind,
        "filename": wheel.file_name if wheel else None,
        "sha256": wheel.sha256 if wheel else None,
        "size": wheel.size if wheel else None,
    }
