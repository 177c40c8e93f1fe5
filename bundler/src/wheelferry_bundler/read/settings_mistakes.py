"""Says what is wrong with settings: all of it at once, each with its line and the nearest key.

Loaded where there is something to report: only tomlkit knows where in a file a value stands.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from wheelferry_bundler.model.option_rules import Mistake, Place, contradictions
from wheelferry_bundler.read.settings_keys import KEYS, TARGET_KEYS
from wheelferry_bundler.read.settings_source import SettingsTable
from wheelferry_schemas.display import count
from wheelferry_schemas.errors import UsageError

_MARK = "wheelferry-looks-for-this-line"
_SAID_EACH_TIME = (
    *("unsigned", "force", "allow-missing-hash", "allow-outside-paths", "passphrase-file"),
    *("dry-run", "json", "quiet", "no-settings"),
)
_SECRETS = ("passphrase", "password", "token", "secret", "username", "login")
_KINDS = {
    "bool_type": "takes true or false",
    "string_type": "takes a text",
    "tuple_type": "takes a text, or a list of texts",
    "dict_type": "is a table of targets: [{table}.targets.NAME]",
    "model_type": "is a table",
    "model_attributes_type": "is a table",
}
_HINT = "docs/reference/settings.md lists the keys; --no-settings makes a bundle without them"


def refuse(found: SettingsTable) -> NoReturn:
    """Raise one `UsageError` for all that is wrong with a table."""
    from wheelferry_bundler.read.settings_models import errors_of

    mistakes = [_mistake(found, error) for error in errors_of(found.table)]
    mistakes += contradictions(found.table)
    # Of a list that should hold texts, the first that is none says enough.
    lines = {(line_of(found, m.place), _said(m)): None for m in mistakes}
    told = [f"{found.path}:{line}: {said}" for line, said in sorted(lines)]
    if len(told) == 1:
        raise UsageError(told[0], hint=_HINT)
    raise UsageError(
        f"{count(len(told), 'mistake')} in the settings of {found.path}", details=told, hint=_HINT
    )


def refuse_values(found: SettingsTable, mistakes: Sequence[Mistake], hint: str) -> None:
    """Raise one `UsageError` for values that are not allowed as things are; return without any."""
    if mistakes:
        told = [f"{found.path}:{line_of(found, m.place)}: {_said(m)}" for m in mistakes]
        raise UsageError(told[0], details=told[1:], hint=hint)


def line_of(found: SettingsTable, place: Place) -> int:
    """Return the line of a key, or of the nearest thing around it that has one."""
    while True:
        line = _line(found.text, (*found.keys, *place))
        if line is not None or not place:
            return found.first_line + (line or 1) - 1
        place = place[:-1]


def _line(text: str, path: Place) -> int | None:
    """Return the line of a value: it is replaced by a mark, which the new text is searched for."""
    try:
        document = tomlkit.parse(text)
    except (TOMLKitError, RecursionError):
        # What the other parser took, this one does not.
        return None
    holder: Any = None
    item: Any = document
    for key in path:
        known = isinstance(item, list) if isinstance(key, int) else isinstance(item, Mapping)
        if not known or (key not in range(len(item)) if isinstance(key, int) else key not in item):
            return None
        holder, item = item, item[key]
    if isinstance(item, Table):
        item.comment(_MARK)
    elif isinstance(item, Mapping) and not isinstance(item, InlineTable):
        return _first_inside(text, path, item)
    elif holder is not None:
        holder[path[-1]] = _MARK
    line = _line_of_mark(document.as_string())
    return _first_inside(text, path, item) if line is None else line


def _first_inside(text: str, path: Place, item: Any) -> int | None:
    """Return the first line below a table that has no header of its own."""
    if not isinstance(item, Mapping):
        return None
    lines = [line for key in item if (line := _line(text, (*path, key)))]
    return min(lines, default=None)


def _line_of_mark(text: str) -> int | None:
    before, found, _ = text.partition(_MARK)
    return before.count("\n") + 1 if found else None


def _said(mistake: Mistake) -> str:
    name = ".".join(map(str, (key for key in mistake.place if isinstance(key, str))))
    return f"{name} {mistake.text}".replace(" : ", ": ", 1) if name else mistake.text


def _mistake(found: SettingsTable, error: Any) -> Mistake:
    place, kind = tuple(error["loc"]), error["type"]
    if place[-1:] == ("[key]",):
        return Mistake(
            place=place[:-1],
            text="is no name of a target: names have small letters, digits, - and _",
        )
    if kind == "extra_forbidden":
        known = TARGET_KEYS if place[:1] == ("targets",) else (*KEYS, "format", "targets")
        return Mistake(place=place, text=_unknown(found, str(place[-1]), tuple(known)))
    if kind == "literal_error":
        return Mistake(
            place=place,
            text="is 1: this version of wheelferry knows no other; upgrade it, or say format = 1",
        )
    if kind == "value_error":
        return Mistake(place=place, text=f": {error['ctx']['error']}")
    return Mistake(
        place=place, text=_KINDS.get(kind, error["msg"]).format(table=".".join(found.keys))
    )


def _unknown(found: SettingsTable, key: str, known: Sequence[str]) -> str:
    if key in _SAID_EACH_TIME:
        return f"is no setting: --{key} is said by a person, each time"
    if any(secret in key.lower() for secret in _SECRETS):
        return "is no setting: secrets do not belong here"
    if key == "tool" and not found.keys:
        return "is no setting: in a wheelferry.toml the keys stand at the top, without [tool.…]"
    plain = key.lower().replace("_", "-")
    near = [plain] if plain in known else difflib.get_close_matches(plain, known, n=1)
    plural = [plain.removesuffix("s")] if plain.removesuffix("s") in known else near
    return f"is no setting; did you mean {plural[0]}?" if plural else "is no setting"
