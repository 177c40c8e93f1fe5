"""Models: immutable values that are written as JSON and read back; unknown fields are refused.

Reading JSON checks each value against its type and converts nothing. A model that Python code makes
is checked against patterns and limits only by `checked`, which therefore runs before it is written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from typing_extensions import Self

_AnyModel = TypeVar("_AnyModel", bound="Model")

END = r"$(?!\n)"
"""The end of a pattern: in Python, `$` alone also matches before a final line break."""
_END_SHOWN = repr(END)[1:-1]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all models; rules that span several fields are checked in `__post_init__`."""

    def plain(self) -> dict[str, Any]:
        """Return the model as built-in types, ready for `json.dumps`."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def replaced(self, **changes: object) -> Self:
        """Return a copy with other values in some fields; their types are not checked."""
        return msgspec.structs.replace(self, **changes)

    def checked(self) -> Self:
        """Return the same model; raises `InvalidModelError` where `read` would refuse it."""
        return read(msgspec.json.encode(self), type(self))


class InvalidModelError(ValueError):
    """JSON that does not fit its model: where, and what is wrong."""


def read(data: bytes, model: type[_AnyModel]) -> _AnyModel:
    """Read a model from JSON.

    Raises `InvalidModelError` for the first wrong value, `ValueError` or `RecursionError` for data
    that is not JSON. Of duplicate keys the last one counts; white space and order are free.
    """
    try:
        return msgspec.json.decode(data, type=model)
    except msgspec.ValidationError as error:
        what, at, where = str(error).replace(_END_SHOWN, "$").rpartition(" - at `$")
        if not at:
            what, where = where, ""
        raise InvalidModelError(f"{where.strip('.`') or 'as a whole'}: {what}") from error


def canonical_json(value: object) -> bytes:
    """Return a value as wheelferry writes all JSON: sorted keys, indent of two, UTF-8."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()
