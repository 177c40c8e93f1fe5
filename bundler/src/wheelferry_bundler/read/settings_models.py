"""The models of `[tool.wheelferry]`, which say what is wrong with a table, and their JSON Schema.

pydantic takes its time to load: for tables that are not plainly right, and for the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails, core_schema

from wheelferry_bundler.read.settings_keys import KEYS, TARGET_KEYS, TARGET_NAME, Key
from wheelferry_schemas.errors import WheelferryError

_SEVERAL = {"anyOf": [{"type": "string"}, {"items": {"type": "string"}, "type": "array"}]}
_TARGET_NAME = StringConstraints(pattern=f"^{TARGET_NAME}$")
_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True)


def _listed(value: Any) -> Any:
    """Return what a tuple is made from: a text stands for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _number(value: Any) -> Any:
    """Return a number as it is: what merely equals one, such as true, is none."""
    return value if type(value) is int else str(value)


def _stands(check: Callable[[str], object]) -> AfterValidator:
    """Return a validator that says what a check of ours says."""

    def validate(text: str) -> str:
        try:
            check(text)
        except WheelferryError as error:
            raise ValueError(f"{error.message} ({error.hint})") from error
        return text

    return AfterValidator(validate)


def _annotation(key: Key) -> Any:
    if key.kind == "flag":
        return bool
    text = Annotated[str, _stands(key.check)]
    if key.kind == "text":
        return text
    return Annotated[tuple[text, ...], BeforeValidator(_listed), WithJsonSchema(_SEVERAL)]


def _fields(keys: Mapping[str, Key]) -> dict[str, Any]:
    """Return fields for keys; what is not stated is None."""
    return {
        name.replace("-", "_"): (
            _annotation(key),
            Field(default=None, alias=name, description=key.description),
        )
        for name, key in keys.items()
    }


TargetSettings = create_model(
    "TargetSettings",
    __config__=_CONFIG,
    __doc__="A target with a name, and the options that are its own; the others are those of the "
    "table.",
    **_fields(TARGET_KEYS),
)
SettingsModel = create_model(
    "SettingsModel",
    __config__=_CONFIG,
    __doc__="Settings of wheelferry for one project: `[tool.wheelferry]`, or a wheelferry.toml.",
    **_fields(KEYS),
    format=(
        Annotated[Literal[1], BeforeValidator(_number)],
        Field(default=1, description="The version of these settings. There is one so far: 1."),
    ),
    targets=(
        dict[Annotated[str, _TARGET_NAME], TargetSettings],  # type: ignore[valid-type]
        Field(
            default={},
            description="Targets by name, which `bundle create --target NAME` takes; without it, "
            "all are made.",
            json_schema_extra={"additionalProperties": False},
        ),
    ),
)


def errors_of(table: Any) -> list[ErrorDetails]:
    """Return all that is wrong with the values of a table."""
    try:
        SettingsModel.model_validate(table)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


class _Plain(GenerateJsonSchema):
    """Writes neither titles, which repeat the keys, nor defaults: there are none."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of `[tool.wheelferry]`, and of a whole wheelferry.toml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://wheelferry.example/settings.schema.json",
        **SettingsModel.model_json_schema(by_alias=True, schema_generator=_Plain),
    }
