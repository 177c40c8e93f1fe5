"""Names of bundle files with placeholders: `{name}`, `{version}`, `{target}` and `{date}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone

from wheelferry_schemas.errors import UsageError

PLACEHOLDERS = ("name", "version", "target", "date")
_BRACES = re.compile(r"\{([^{}]*)\}")


def check_output_name(text: str) -> None:
    """Raise `UsageError` for braces that are no placeholder, and for what names no file."""
    for found in _BRACES.findall(text):
        if found not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise UsageError(f"{{{found}}} is no placeholder", hint=f"there are {known}")
    rest = _BRACES.sub("", text)
    if "{" in rest or "}" in rest:
        raise UsageError(f"a brace of {text!r} has no partner", hint="write {name}")
    if not text or "\0" in text or text.endswith(("/", "\\")):
        raise UsageError(f"{text!r} names no file", hint="example: {name}-{target}.tar.zst")


def asks_for(text: str, placeholder: str) -> bool:
    """Return whether a name has a placeholder."""
    return f"{{{placeholder}}}" in text


def filled(text: str, values: Mapping[str, str | None]) -> str:
    """Return a name with the placeholders filled that `values` knows, the others left.

    Raises `UsageError` where a value is None, or would lead into another folder.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        found = values[match[1]]
        if found is None:
            raise UsageError(
                f"{match[0]} of the output {text!r} is not known: the source states none",
                hint="leave it out of the name, or pass --output",
            )
        if not re.fullmatch(r"[A-Za-z0-9_.+!-]*[A-Za-z0-9]", found):
            raise UsageError(
                f"{match[0]} of the output {text!r} is {found!r}, which cannot be part of a name",
                hint="leave it out of the name, or pass --output",
            )
        return found

    return _BRACES.sub(value, text)


def date_of(created: int) -> str:
    """Return the day (UTC) of a time in seconds since the epoch."""
    return datetime.fromtimestamp(created, tz=timezone.utc).strftime("%Y-%m-%d")
