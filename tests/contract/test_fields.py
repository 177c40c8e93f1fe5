import time

import pytest

from wheelferry_schemas.fields import check_version, format_timestamp, parse_timestamp


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-01T00:00:00Z", 0), ("2023-11-14T22:13:20Z", 1_700_000_000)],
)
def test_times_are_utc(text: str, seconds: int) -> None:
    assert parse_timestamp(text) == seconds
    assert format_timestamp(seconds) == text


def test_times_are_utc_wherever_the_host_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "UTC-9")
        time.tzset()
        assert parse_timestamp("1970-01-01T00:00:00Z") == 0
        assert format_timestamp(0) == "1970-01-01T00:00:00Z"
    time.tzset()


@pytest.mark.parametrize("text", ["", "2026-02-30T00:00:00Z", "2026-02-03T24:00:00Z", "2026-02-03"])
def test_refuses_what_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_timestamp(text)


@pytest.mark.parametrize("text", ["", "one", "1.0 beta", "1..0"])
def test_refuses_what_is_not_a_version(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        check_version(text)


def test_takes_every_spelling_of_a_version() -> None:
    check_version("1.0")
    check_version("v2!1.0RC1.post3.dev4+Local")
