"""How properties are tested: by the same examples in every run, however slow the machine is."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def steady() -> None:
    """Let no clock and no chance decide a test, and nothing be written beside the tests."""
    settings.register_profile(
        "steady",
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("steady")
