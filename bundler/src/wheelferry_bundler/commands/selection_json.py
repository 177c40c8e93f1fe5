"""Turns a selection into JSON, the output of `bundle create --dry-run --json`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wheelferry_bundler.api import BundlePlan
    from wheelferry_bundler.select.selection import Chosen, Selection


def selection_json(plan: BundlePlan) -> dict[str, Any]:
    """Return `{"targets": […], "problems": […]}`.

    `filename`, `sha256` and `size` are null for a wheel that has yet to be built, `size` also
    where the lock does not state it. A problem is of the `kind` "no-wheel", with the `name` and
    `version` of the package, "missing", with its `name`, "unfit" or "malformed".
    """
    from wheelferry_bundler.api import problems_of

    return {
        "targets": [_target(selection) for selection in plan.selections],
        "problems": [dataclasses.asdict(problem) for problem in problems_of(plan)],
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
