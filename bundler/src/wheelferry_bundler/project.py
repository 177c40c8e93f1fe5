"""What a pyproject.toml says that its lock does not: default groups, and names that exist."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from wheelferry_bundler.toml_tables import read_toml
from wheelferry_schemas.errors import MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder. `default_groups` is None where all groups are (`default-groups = "all"`)."""

    default_groups: frozenset[str] | None = frozenset({"dev"})
    groups: frozenset[str] = frozenset()
    extras: frozenset[str] = frozenset()

    @classmethod
    def read(cls, folder: Path) -> Project:
        """Read the pyproject.toml of `folder`; without one, uv's defaults hold."""
        path = folder / "pyproject.toml"
        if not path.is_file():
            return cls()
        table = read_toml(path)
        uv = table.table("tool").table("uv")
        if uv.data.get("default-groups") == "all":
            defaults: frozenset[str] | None = None
        elif "default-groups" in uv:
            defaults = frozenset(map(canonicalize_name, uv.texts("default-groups")))
        else:
            defaults = frozenset({"dev"})
        names = table.table("dependency-groups").data
        groups: set[str] = {canonicalize_name(name) for name in names}
        # The table that came before PEP 735, which uv reads as the group 'dev'.
        if "dev-dependencies" in uv:
            groups.add(canonicalize_name("dev"))
        if defaults is not None and (unknown := defaults - groups - {"dev"}):
            raise MalformedError(
                f"{path.name}: default-groups names {', '.join(map(repr, sorted(unknown)))}, "
                "which the project does not have"
            )
        extras = table.table("project").table("optional-dependencies").data
        return cls(
            default_groups=defaults,
            groups=frozenset(groups),
            extras=frozenset(map(canonicalize_name, extras)),
        )
