"""Reads a project folder: its pyproject.toml and uv's settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from wheelferry_bundler.read.toml_tables import Table, read_toml
from wheelferry_schemas.errors import MalformedError

DefaultGroups = frozenset[str] | None
"""The groups that are selected by default, None for all (`"all"`)."""
DEV: frozenset[str] = frozenset({"dev"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """The settings of dependency groups that older locks do not record."""

    default_groups: DefaultGroups = DEV
    group_requires_python: Mapping[str, SpecifierSet] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> GroupSettings:
        """Return the settings of a pyproject.toml; raises `MalformedError`."""
        uv = table.table("tool").table("uv")
        defaults = read_default_groups(uv)
        declared = set(map(canonicalize_name, table.table("dependency-groups").data))
        if defaults is not None and (unknown := defaults - declared - DEV):
            raise MalformedError(
                f"{table.where}: default-groups names {', '.join(map(repr, sorted(unknown)))}, "
                "which the project does not have"
            )
        settings = uv.table("dependency-groups")
        return cls(
            default_groups=defaults,
            group_requires_python={
                canonicalize_name(group): read_specifier(table, "requires-python")
                for group in settings.data
                if "requires-python" in (table := settings.table(group))
            },
        )


@dataclass(frozen=True, kw_only=True)
class Pyproject:
    """A project folder: its pyproject.toml, if it has one, and uv's settings."""

    folder: Path
    table: Table | None
    uv_settings: Table

    @classmethod
    def read(cls, folder: Path) -> Pyproject:
        """Read a folder; as with uv, a uv.toml replaces the table `tool.uv` of pyproject.toml.

        Raises `TransferError` where a file cannot be read, `MalformedError` for what is not TOML.
        """
        path, own = folder / "pyproject.toml", folder / "uv.toml"
        table = read_toml(path) if path.is_file() else None
        if own.is_file():
            settings = read_toml(own)
        elif table is not None:
            settings = table.table("tool").table("uv")
        else:
            settings = Table({}, own.name)
        return cls(folder=folder, table=table, uv_settings=settings)

    @cached_property
    def groups(self) -> GroupSettings:
        """Its settings of groups; without a pyproject.toml, uv's defaults."""
        return GroupSettings() if self.table is None else GroupSettings.of(self.table)


def read_default_groups(table: Table) -> DefaultGroups:
    """Read `default-groups`, which is a list or `"all"`."""
    if table.data.get("default-groups") == "all":
        return None
    if "default-groups" in table:
        return frozenset(map(canonicalize_name, table.texts("default-groups")))
    return DEV


def asked_by(requirements: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the packages that requirements name, with their extras; paths are ignored."""
    asked: dict[str, frozenset[str]] = {}
    for text in requirements:
        try:
            requirement = Requirement(text)
        except (InvalidRequirement, RecursionError):
            continue
        name = canonicalize_name(requirement.name)
        extras = frozenset(map(canonicalize_name, requirement.extras))
        asked[name] = asked.get(name, frozenset()) | extras
    return asked


def read_specifier(table: Table, key: str) -> SpecifierSet:
    """Read a required version specifier; raises `MalformedError`."""
    text = table.text(key)
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise MalformedError(f"{table.where}: {key} {text!r} is not a specifier") from error
