"""Lists the problems of a plan as values, one for each missing package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from wheelferry_bundler.create.bundle_plan import BundlePlan
from wheelferry_bundler.select.closure import IncompleteError
from wheelferry_bundler.select.missing_wheels import MissingWheelError
from wheelferry_schemas.errors import MalformedError, WheelferryError

ProblemKind = Literal["no-wheel", "missing", "unfit", "malformed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem for one target.

    `target` is the id of the target. The kind "no-wheel" has the `name` and `version` of a package,
    "missing" the `name` of a package that is not locked; both are None for other kinds.
    """

    target: str
    kind: ProblemKind
    name: str | None
    version: str | None
    message: str
    details: tuple[str, ...]
    hint: str


def problems_of(plan: BundlePlan) -> tuple[Problem, ...]:
    """Return the problems of a plan, none if it is complete."""
    return tuple(one for target, error in plan.problems for one in _apart(target, error))


def _apart(target: str, error: WheelferryError) -> Iterator[Problem]:
    if isinstance(error, IncompleteError):
        for name, each in error.apart(target).items():
            yield _problem(target, each, "missing", name)
    elif isinstance(error, MissingWheelError):
        key = error.package.key
        yield _problem(target, error, "no-wheel", key.name, key.version)
    else:
        yield _problem(target, error, "malformed" if isinstance(error, MalformedError) else "unfit")


def _problem(
    target: str,
    error: WheelferryError,
    kind: ProblemKind,
    name: str | None = None,
    version: str | None = None,
) -> Problem:
    return Problem(
        target=target,
        kind=kind,
        name=name,
        version=version,
        message=error.message,
        details=error.details,
        hint=error.hint,
    )
