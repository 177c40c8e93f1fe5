"""Names of bundle files with placeholders."""

from __future__ import annotations

import pytest

from wheelferry_bundler.model.output_names import asks_for, check_output_name, date_of, filled
from wheelferry_schemas.errors import UsageError


@pytest.mark.parametrize("text", ["a", "dist/{name}-{version}-{target}-{date}.pyz", "a b"])
def test_takes_names(text: str) -> None:
    check_output_name(text)


@pytest.mark.parametrize("text", ["", "a/", "{nmae}", "{}", "{name", "name}", "{{name}}", "a\0"])
def test_refuses_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError):
        check_output_name(text)


def test_fills_what_is_known() -> None:
    assert filled("{name}-{target}", {"name": "app"}) == "app-{target}"
    assert filled("{version}", {"version": "1!2.0+cpu.1"}) == "1!2.0+cpu.1"


@pytest.mark.parametrize("value", ["../x", "a/b", "a\\b", "", None, "a\nb", "{name}"])
def test_refuses_values_that_are_no_part_of_a_name(value: str | None) -> None:
    with pytest.raises(UsageError):
        filled("{version}", {"version": value})


def test_tells_which_placeholders_are_there() -> None:
    assert asks_for("a-{target}", "target")
    assert not asks_for("a-target", "target")


def test_a_date_is_a_day_in_utc() -> None:
    assert date_of(1_700_006_399) == "2023-11-14"
    assert date_of(1_700_006_400) == "2023-11-15"
