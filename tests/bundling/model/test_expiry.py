"""When a bundle ends to count."""

from __future__ import annotations

import pytest

from wheelferry_bundler.model.expiry import check_expiry, expires_at
from wheelferry_schemas.errors import UsageError

CREATED = 1_700_000_000
DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("text", "expires"),
    [
        ("1d", CREATED + DAY),
        ("90d", CREATED + 90 * DAY),
        ("12w", CREATED + 84 * DAY),
        ("2023-11-15", 1_700_092_800),
    ],
)
def test_reads_spans_and_days(text: str, expires: int) -> None:
    check_expiry(text)
    assert expires_at(text, CREATED) == expires


@pytest.mark.parametrize("text", ["", "0d", "d", "90", "90 d", "90D", "-1d", "2023-02-30", "1e3d"])
def test_refuses_what_states_no_time(text: str) -> None:
    for check in (check_expiry, lambda text: expires_at(text, CREATED)):
        with pytest.raises(UsageError, match="not an expiry time"):
            check(text)


def test_a_day_that_has_passed_is_wrong_only_for_a_bundle() -> None:
    check_expiry("2023-11-13")
    with pytest.raises(UsageError, match="has passed"):
        expires_at("2023-11-13", CREATED)
