"""Which options exclude each other, in a table of settings and between it and the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
EXCLUSIVE = (
    (("only-group", "only-dev"), ("group", "extra", "all-extras")),
    (("only-dev",), ("no-dev",)),
    (("package",), ("all-packages",)),
)
"""Options of which one side excludes the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something that is wrong, at a place of a table of settings."""

    place: Place
    text: str


def contradictions(table: Any) -> Iterator[Mistake]:
    """Yield what no single value is to blame for."""
    if not isinstance(table, Mapping):
        return
    yield from _exclusive(table, ())
    targets = table.get("targets")
    for name, own in targets.items() if isinstance(targets, Mapping) else ():
        if not isinstance(own, Mapping):
            continue
        place = ("targets", name)
        yield from _exclusive(own, place)
        stated = [key for key in ("platform", "python") if key in own]
        if "describe" in own and stated:
            text = f"leaves nothing to say to {' and '.join(stated)}: leave one of them out"
            yield Mistake(place=(*place, "describe"), text=text)
        elif "describe" not in own and not own.get("platform") and not table.get("platform"):
            yield Mistake(place=place, text="says for which platform it is neither here nor above")


def _exclusive(table: Mapping[str, Any], place: Place) -> Iterator[Mistake]:
    for one, other in EXCLUSIVE:
        here = [key for key in one if table.get(key)]
        there = [key for key in other if table.get(key)]
        if here and there:
            yield Mistake(place=(*place, here[0]), text=f"excludes {', '.join(there)}")
