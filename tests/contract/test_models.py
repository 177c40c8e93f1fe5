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
def test_writes_json_in_one_way(value: object) -> None:
    data = canonical_json(value)
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


def test_writes_letters_as_they_are() -> None:
    assert canonical_json({"b": "ž", "a": 1}) == '{\n  "a": 1,\n  "b": "ž"\n}\n'.encode()


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_writes_no_number_that_json_does_not_know(number: str) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"size": float(number)})


def test_reads_what_it_writes() -> None:
    assert read(canonical_json(MODEL.plain()), Outer) == MODEL


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


def test_what_python_made_is_checked_before_it_is_written() -> None:
    assert MODEL.checked() == MODEL
    with pytest.raises(InvalidModelError, match=r"inner\[0\]\.size: Expected `int`, got `str`"):
        MODEL.replaced(inner=(MODEL.inner[0].replaced(size="1"),)).checked()


def test_is_immutable() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        MODEL.name = "y"  # type: ignore[misc]
    assert hash(MODEL) == hash(MODEL.replaced())
