"""Finds an older version of a package that has a wheel for a host with an old libc.

The lock has a single version, so the package's index is queried for others, once, and only when a
wheel is missing. If it does not answer, the advice omits older versions.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_version
from packaging.version import Version

from wheelferry_bundler.create.bundle_plan import BundlePlan
from wheelferry_bundler.fetch.fetching import connections
from wheelferry_bundler.fetch.simple_pages import ACCEPT, Link, PageError, parse_page
from wheelferry_bundler.fetch.transfers import AttemptError, Transfers
from wheelferry_bundler.select.missing_wheels import MissingWheelError
from wheelferry_schemas.errors import WheelferryError
from wheelferry_schemas.wheel.wheel_name import parse_wheel_name

_WORKERS = 8


def with_older_versions(plan: BundlePlan) -> BundlePlan:
    """Return the plan with hints that name older versions to lock instead."""
    problems = [problem for _, problem in plan.problems if isinstance(problem, MissingWheelError)]
    problems = list(filter(_may_be_older, problems))
    if not problems:
        return plan
    locations = plan.request.building.locations
    indexes = {
        (index, problem.package.name): None
        for problem in problems
        for index in locations.mirrors or (problem.package.source.location,)
        if index.startswith(("https://", "http://"))
    }
    with connections(locations) as (transfers, _), ThreadPoolExecutor(_WORKERS) as pool:
        pages = dict(
            zip(indexes, pool.map(lambda wanted: _links(transfers, *wanted), indexes), strict=True)
        )

    def advised(problem: WheelferryError) -> WheelferryError:
        if not isinstance(problem, MissingWheelError) or not _may_be_older(problem):
            return problem
        name = problem.package.name
        files = [link for (_, of), links in pages.items() if of == name for link in links]
        return MissingWheelError(
            problem.package, problem.target, older=_older(problem, [f.file_name for f in files])
        )

    return dataclasses.replace(
        plan, problems=tuple((target, advised(problem)) for target, problem in plan.problems)
    )


def _may_be_older(problem: WheelferryError) -> bool:
    """Return whether a package from an index lacks a wheel because the system is too old."""
    return (
        isinstance(problem, MissingWheelError)
        and problem.package.source.kind == "registry"
        and problem.needs_newer_system
    )


def _links(transfers: Transfers, index: str, name: str) -> Sequence[Link]:
    with contextlib.suppress(AttemptError, PageError):
        page = transfers.page_at_once(f"{index.rstrip('/')}/{name}/", ACCEPT)
        if page is not None:
            return parse_page(page.text, page.media_type, page.url)
    return ()


def _older(problem: MissingWheelError, file_names: Iterable[str]) -> str | None:
    """Return a requirement whose newest version has a wheel for the target."""
    tags: dict[Version, set[Tag]] = {}
    for file_name in file_names:
        with contextlib.suppress(InvalidWheelFilename):
            name, version, _, found = parse_wheel_name(file_name)
            if name == problem.package.name and not version.is_prerelease:
                tags.setdefault(version, set()).update(found)
    wanted = set(problem.target.tags())
    locked = Version(problem.package.key.version or "0")
    fitting = [v for v, found in tags.items() if v < locked and not wanted.isdisjoint(found)]
    if not fitting:
        return None
    newest = max(fitting)
    first_without = min(version for version in (*tags, locked) if version > newest)
    return f"{problem.package.name}<{canonicalize_version(first_without)}"
