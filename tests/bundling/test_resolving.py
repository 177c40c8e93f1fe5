import pytest

from wheelferry_bundler.places import Places
from wheelferry_bundler.resolving import uv_environment


def test_uv_does_not_overrun_a_small_index() -> None:
    assert uv_environment(Places())["UV_CONCURRENT_DOWNLOADS"] == "4"


def test_user_decides_how_many_connections_uv_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CONCURRENT_DOWNLOADS", "50")
    assert uv_environment(Places())["UV_CONCURRENT_DOWNLOADS"] == "50"


@pytest.mark.parametrize("name", ["UV_FROZEN", "UV_LOCKED", "UV_SYSTEM_PYTHON", "VIRTUAL_ENV"])
def test_settings_for_other_uses_of_uv_do_not_reach_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in uv_environment(Places())
