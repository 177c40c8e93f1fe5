import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelferry_schemas.models import InvalidModelError, Model, canonical_json, read

_KEYS_AND_TEXTS = st.text()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _KEYS_AND_TEXTS,
    lambda values: st.lists(values) | st.dictionaries(_KEYS_AND_TEXTS, values),
)


class Inner(Model, frozen=True, kw_only=True):
    size: int

    def __post_init__(self) -> None:
        if self.size == 13:
            raise ValueError("nobody wants 13")


class Outer(Model, frozen=True, kw_only=True):
    name: str
    inner: tuple[Inner, ...] = ()


MODEL = Outer(name="x", inner=(Inner(size=1), Inner(size=2)))


@given(_JSON)
def test_writes_what_the_standard_library_would(value: object) -> None:
    other = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False)
    assert canonical_json(value) == f"{other}\n".encode()


def test_reads_what_it_writes() -> None:
    assert read(canonical_json(MODEL), Outer) == MODEL
    assert json.loads(canonical_json(MODEL)) == json.loads(json.dumps(MODEL.plain()))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": 1}, "name: Expected `str`, got `int`"),
        ({"other": 1}, "as a whole: Object contains unknown field `other`"),
        ({"inner": [{"size": 1}, {"size": "1"}]}, "inner[1].size: Expected `int`, got `str`"),
        ({"inner": [{"size": 1.0}]}, "inner[0].size: Expected `int`, got `float`"),
        ({"inner": [{"size": True}]}, "inner[0].size: Expected `int`, got `bool`"),
        ({"inner": [{"size": 13}]}, "inner[0]: nobody wants 13"),
        ({"inner": [{}]}, "inner[0]: Object missing required field `size`"),
    ],
)
def test_says_where_and_what_is_wrong(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidModelError) as caught:
        read(json.dumps({**MODEL.plain(), **change}).encode(), Outer)
    assert str(caught.value) == problem


@pytest.mark.parametrize("data", [b"", b"{", b'{"name": "\xff"}', b'{"name": "x"} x', b"nan"])
def test_what_is_not_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(data, Outer)


def test_other_values_are_held_against_what_spans_fields() -> None:
    assert MODEL.replaced(name="y") == Outer(name="y", inner=MODEL.inner)
    with pytest.raises(ValueError, match="nobody wants 13"):
        MODEL.inner[0].replaced(size=13)


def test_is_immutable() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        MODEL.name = "y"  # type: ignore[misc]
    assert hash(MODEL) == hash(MODEL.replaced())
