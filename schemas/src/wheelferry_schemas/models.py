"""Models: what is written as JSON and read back, immutable and without unknown fields.

Values are held against their types where JSON is read, and never converted. What Python code makes
is held against patterns and limits by `checked` alone, so that comes before it is written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from typing_extensions import Self

_AnyModel = TypeVar("_AnyModel", bound="Model")

END = r"$(?!\n)"
"""The end of a pattern: to Python `$` alone is before a last line break too."""
_END_SHOWN = repr(END)[1:-1]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all models; what spans several fields is checked in `__post_init__`."""

    def plain(self) -> dict[str, Any]:
        """Return what `json.dumps` takes."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def replaced(self, **changes: object) -> Self:
        """Return the model with other values in some fields; their types are not checked."""
        return msgspec.structs.replace(self, **changes)

    def checked(self) -> Self:
        """Return the same model; raises `InvalidModelError` where `read` would refuse it."""
        return read(msgspec.json.encode(self), type(self))


class InvalidModelError(ValueError):
    """JSON that is not what the model says: where, and what is wrong."""


def read(data: bytes, model: type[_AnyModel]) -> _AnyModel:
    """Read a model from JSON.

    Raises `InvalidModelError` for the first value that is wrong, `ValueError` or `RecursionError`
    for what is not JSON. Of equal keys the last one counts, and spelling is free.
    """
    try:
        return msgspec.json.decode(data, type=model)
    except msgspec.ValidationError as error:
        what, at, where = str(error).replace(_END_SHOWN, "$").rpartition(" - at `$")
        if not at:
            what, where = where, ""
        raise InvalidModelError(f"{where.strip('.`') or 'as a whole'}: {what}") from error


def canonical_json(value: object) -> bytes:
    """Return the JSON that wheelferry writes everywhere: sorted keys, indent of two, UTF-8."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()
