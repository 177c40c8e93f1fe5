"""When a bundle ends to count, as people say it: `90d`, `12w` or a day."""

from __future__ import annotations

import re
from datetime import datetime

from wheelferry_schemas.errors import UsageError

_DAY = 24 * 60 * 60
_SPAN = re.compile(r"([1-9][0-9]{0,4})([dw])")


def check_expiry(text: str) -> None:
    """Raise `UsageError` for what states no time, whenever the bundle is made."""
    if not _SPAN.fullmatch(text):
        _end_of_day(text)


def expires_at(text: str, created: int) -> int:
    """Parse `90d`, `12w` (counted from `created`) or a day, which means its end.

    Raises `UsageError`.
    """
    if match := _SPAN.fullmatch(text):
        return created + int(match[1]) * (7 if match[2] == "w" else 1) * _DAY
    expires = _end_of_day(text)
    if expires <= created:
        raise UsageError(
            f"the expiry date {text} has passed", hint="choose a later day for --expires"
        )
    return expires


def _end_of_day(text: str) -> int:
    try:
        day = datetime.strptime(f"{text}+0000", "%Y-%m-%d%z")
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not an expiry time", hint="examples: 90d, 12w, 2027-03-31"
        ) from error
    return int(day.timestamp()) + _DAY
