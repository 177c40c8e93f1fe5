from collections.abc import Callable
from pathlib import Path

import pytest
import uv

from support.making.unlocked import LINUX, read, write
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.resolve import uv_resolving
from wheelferry_bundler.resolve.uv_resolving import uv_environment
from wheelferry_schemas.errors import MalformedError, TransferError, WheelferryError

Fake = Callable[[str], Path]


@pytest.fixture
def fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a shell script in uv's place."""

    def put(text: str, mode: int = 0o755) -> Path:
        path = tmp_path / "fake-uv"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        monkeypatch.setattr(uv_resolving, "find_uv", lambda: str(path))
        return path

    return put


def refusal(tmp_path: Path) -> WheelferryError:
    with pytest.raises(WheelferryError) as caught:
        read(write(tmp_path, "demo\n"), LINUX)
    assert caught.value.hint is not None
    return caught.value


def test_says_that_uv_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(uv, "find_uv_bin", fail)
    uv_resolving.find_uv.cache_clear()
    error = refusal(tmp_path)
    assert error.message == "uv cannot be run: it is not installed"
    assert "pip install" in (error.hint or "")


def test_says_that_uv_cannot_be_started(tmp_path: Path, fake_uv: Fake) -> None:
    path = fake_uv("")
    path.write_text("#!/no/such/interpreter\n")
    error = refusal(tmp_path)
    assert error.message == f"uv cannot be run: {path}: No such file or directory"
    assert "correct" not in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "how"), [("kill -9 $$", "signal 9"), ("echo broken >&2; exit 127", "exit code 127")]
)
def test_says_that_uv_ended_without_an_answer(
    tmp_path: Path, fake_uv: Fake, text: str, how: str
) -> None:
    fake_uv(text)
    error = refusal(tmp_path)
    assert how in error.message
    assert "correct" not in (error.hint or "")


def test_does_not_blame_the_file_for_a_folder_of_this_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", "/proc/nowhere")
    error = refusal(tmp_path)
    assert isinstance(error, TransferError)
    assert "UV_CACHE_DIR" in (error.hint or "")


def test_blames_the_file_for_what_uv_does_not_understand(tmp_path: Path, fake_uv: Fake) -> None:
    fake_uv('echo "error: Couldn\'t parse requirement" >&2; exit 2')
    error = refusal(tmp_path)
    assert isinstance(error, MalformedError)
    assert error.hint == "correct requirements.txt"


def test_uv_does_not_overrun_a_small_index() -> None:
    assert uv_environment(Locations())["UV_CONCURRENT_DOWNLOADS"] == "4"


def test_user_decides_how_many_connections_uv_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CONCURRENT_DOWNLOADS", "50")
    assert uv_environment(Locations())["UV_CONCURRENT_DOWNLOADS"] == "50"


@pytest.mark.parametrize("name", ["UV_FROZEN", "UV_LOCKED", "UV_SYSTEM_PYTHON", "VIRTUAL_ENV"])
def test_settings_for_other_uses_of_uv_do_not_reach_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in uv_environment(Locations())
