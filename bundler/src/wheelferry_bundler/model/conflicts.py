"""The conflicts that a lock declares: extras, groups and projects that exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from wheelferry_schemas.errors import UsageError


@dataclass(frozen=True, order=True)
class SyntheticExtra:
    """An item that may conflict with others: an extra or group of a package, or a project.

    uv writes it into markers as an extra: `extra == 'extra-3-foo-cpu'`, `'project-3-foo'`.
    """

    kind: Literal["extra", "group", "project"]
    package: str
    name: str = ""

    @cached_property
    def text(self) -> str:
        """The extra that represents it in a marker."""
        parts = (self.kind, str(len(self.package)), self.package, self.name)
        return "-".join(filter(None, parts))

    def __str__(self) -> str:
        """Return it as uv writes it in messages about conflicts."""
        if self.kind == "extra":
            return f"`{self.package}[{self.name}]`"
        return f"`{self.package}:{self.name}`" if self.kind == "group" else f"`{self.package}`"


def conflict_error(asked: Sequence[str], conflict: Iterable[SyntheticExtra]) -> UsageError:
    """Return the error that names, as uv's does, what was requested and the declared conflict."""
    declared = ", ".join(map(str, sorted(conflict)))
    return UsageError(
        f"{', '.join(asked[:-1])} and {asked[-1]} are incompatible with the declared conflicts: "
        f"{{{declared}}}",
        hint="ask for one of them, or make a bundle for each",
    )
