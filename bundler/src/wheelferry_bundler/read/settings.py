"""The settings of a source: what its project decides about bundles, once and under review."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.model.option_rules import Mistake, contradictions
from wheelferry_bundler.read.inputs import Source
from wheelferry_bundler.read.project_paths import leaves
from wheelferry_bundler.read.settings_keys import Value, plainly_right
from wheelferry_bundler.read.settings_source import SettingsTable, find_settings

_PATHS = ("find-links", "output", "key", "describe", "python-archive")
_ANYWHERE = ("key",)
"""Files that belong into no project."""
_TARGET_ID = re.compile(r"([a-z0-9][a-z0-9_-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that hold for a source: options, and those of each named target.

    Only what is stated is here. `notes` name other settings that do not count.
    """

    found: SettingsTable
    values: Mapping[str, Value]
    targets: Mapping[str, Mapping[str, Value]]

    @property
    def path(self) -> Path:
        """The file that states them."""
        return self.found.path

    @property
    def notes(self) -> tuple[str, ...]:
        """What else was found and does not count, in sentences."""
        return self.found.notes

    def line_of(self, option: str, target: str | None = None) -> int:
        """Return the line that an option, or that of a target, stands in."""
        from wheelferry_bundler.read.settings_mistakes import line_of

        return line_of(self.found, _place(option, target))

    def located(
        self, values: Mapping[str, Value], target: str | None, *, outside: bool
    ) -> dict[str, Value]:
        """Return options of a table with paths that start at its file.

        Unless `outside` is set, raises `UsageError` for paths that lead out of the project.
        """
        strangers = [] if outside else self._strangers(values)
        if strangers:
            from wheelferry_bundler.read.settings_mistakes import refuse_values

            refuse_values(
                self.found,
                [
                    Mistake(place=_place(option, target), text="leads out of the project")
                    for option in strangers
                ],
                "pass --allow-outside-paths where that is meant, or name the path on the command "
                "line",
            )
        return {
            option: self._placed(option, value) if option in _PATHS else value
            for option, value in values.items()
        }

    def _strangers(self, values: Mapping[str, Value]) -> list[str]:
        folder = self.path.parent.resolve()
        return [
            option
            for option, value in values.items()
            if option in _PATHS and option not in _ANYWHERE
            for text in _texts(value)
            if leaves(folder, str(Path(_split(option, text)[1]).expanduser()))
        ]

    def _placed(self, option: str, value: Value) -> Value:
        placed = []
        for text in _texts(value):
            head, path = _split(option, text)
            placed.append(head + str(self.path.parent / Path(path).expanduser()))
        return tuple(placed) if isinstance(value, tuple) else placed[0]


def read_settings(source: Source) -> Settings | None:
    """Return the settings that hold for a source, None where there are none.

    Raises one `UsageError` for all that is wrong with them, and what `find_settings` raises.
    """
    found = find_settings(source)
    return None if found is None else check_settings(found)


def check_settings(found: SettingsTable) -> Settings:
    """Return what a table says; raises `UsageError`."""
    right = plainly_right(found.table)
    if right is None or any(contradictions(found.table)):
        from wheelferry_bundler.read.settings_mistakes import refuse

        refuse(found)
    assert right is not None
    values, targets = right
    return Settings(found=found, values=values, targets=targets)


def _place(option: str, target: str | None) -> tuple[str, ...]:
    return (option,) if target is None else ("targets", target, option)


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _split(option: str, text: str) -> tuple[str, str]:
    """Divide `TARGET=FILE`; other paths have no first part."""
    match = _TARGET_ID.fullmatch(text) if option == "python-archive" else None
    return (f"{match[1]}=", match[2]) if match else ("", text)
