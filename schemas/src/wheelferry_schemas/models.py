"""Models: what is written as JSON and read back, immutable and without unknown fields.

Values are held against their types where JSON is read, and never converted. Python code that makes a
model is held against them by mypy alone, so what is written goes through `read` once more.
"""

from __future__ import annotations

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
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"
