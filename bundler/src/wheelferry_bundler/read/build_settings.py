"""Reads build constraints and additional build requirements from uv's settings."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelferry_bundler.model.locked import ExtraRequirement
from wheelferry_bundler.read.toml_tables import Table
from wheelferry_schemas.errors import MalformedError


def read_extra_build_requires(settings: Table) -> Mapping[str, tuple[ExtraRequirement, ...]]:
    """Return additional build requirements by package name; raises `MalformedError`."""
    extra = settings.table("extra-build-dependencies")
    return {
        canonicalize_name(name): tuple(
            _extra_requirement(extra, entry) for entry in extra.list(name)
        )
        for name in extra.data
    }


def _extra_requirement(table: Table, entry: object) -> ExtraRequirement:
    if isinstance(entry, str):
        return ExtraRequirement(text=_requirement(table, entry))
    if not isinstance(entry, dict):
        raise MalformedError(f"{table.where}: {entry!r} is not a requirement")
    stated = Table(entry, table.where)
    return ExtraRequirement(
        text=_requirement(table, stated.text("requirement")),
        match_runtime=entry.get("match-runtime") is True,
    )


def read_constraints(table: Table, key: str) -> tuple[str, ...]:
    """Return a list of requirements, written as in uv.lock or as in pyproject.toml."""
    values = table.list(key)
    if all(isinstance(value, str) for value in values):
        return tuple(_requirement(table, text) for text in values)
    return tuple(_requirement(entry, _constraint(entry)) for entry in table.tables(key))


def _constraint(entry: Table) -> str:
    url = entry.optional_text("url")
    marker = entry.optional_text("marker")
    return (
        f"{entry.text('name')}{f' @ {url}' if url else entry.optional_text('specifier') or ''}"
        f"{f' ; {marker}' if marker else ''}"
    )


def _requirement(table: Table, text: str) -> str:
    try:
        return str(Requirement(text))
    except InvalidRequirement as error:
        raise MalformedError(f"{table.where}: {text!r} is not a requirement") from error
