"""The selection as JSON, for scripts: the output of `bundle create --dry-run --json`."""

from __future__ import annotations

from typing import Any

from wheelferry_bundler.missing_wheels import MissingWheelError
from wheelferry_bundler.planning import Plan
from wheelferry_bundler.selection import Chosen, Selection
from wheelferry_schemas.errors import MalformedError, WheelferryError


def selection_json(plan: Plan) -> dict[str, Any]:
    """Return `{"targets": […], "problems": […]}`.

    `filename`, `sha256` and `size` are null where a wheel still has to be built, and `size` also
    where the lock does not state it. A problem is of the `kind` "no-wheel", with the `name` and
    `version` of the package, "unfit" or "malformed".
    """
    return {
        "targets": [_target(selection) for selection in plan.selections],
        "problems": [
            {
                "target": target,
                **_named(problem),
                "message": problem.message,
                "details": list(problem.details),
                "hint": problem.hint,
            }
            for target, problem in plan.problems
        ],
    }


def _named(problem: WheelferryError) -> dict[str, str | None]:
    """Return of which kind a problem is, and of which package where it is of one."""
    if isinstance(problem, MissingWheelError):
        key = problem.package.key
        return {"kind": "no-wheel", "name": key.name, "version": key.version}
    kind = "malformed" if isinstance(problem, MalformedError) else "unfit"
    return {"kind": kind, "name": None, "version": None}


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
