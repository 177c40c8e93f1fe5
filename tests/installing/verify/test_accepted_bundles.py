import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.making.archives import NOW, policy_of
from support.making.bundles import CREATED, make_bundle, trust
from support.making.wheels import make_wheel
from support.running.command import Ran, bundle, tree
from support.running.ssh import fixed_key
from wheelferry_installer.system.config_folder import state_folder
from wheelferry_installer.verify import accepted_bundles, policy
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.policy import ACCEPT_UNSIGNED
from wheelferry_installer.verify.verification import VerifiedBundle, verify
from wheelferry_schemas.errors import ConflictError, MalformedError, OutdatedError, TransferError
from wheelferry_schemas.fields import format_timestamp

Main = Callable[..., Ran]
ALICE = fixed_key("alice")
DAY = 24 * 60 * 60


@pytest.fixture
def state() -> Path:
    """Where wheelferry remembers what it accepted; it is not there yet."""
    return Path(os.environ["XDG_STATE_HOME"]) / "wheelferry"


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., VerifiedBundle]:
    """Makes bundles that are verified, of alice's, by default."""

    def make(days: int = 0, *, signed: bool = True, name: str = "demo") -> VerifiedBundle:
        path = tmp_path / f"{days}-{signed}-{name}.tar.zst"
        created = format_timestamp(CREATED + days * DAY)
        keys = [ALICE] if signed else []
        make_bundle(path, [], keys=keys, name=name, created=created)
        opened = open_bundle(path)
        opened.archive.close()
        return verify(
            opened, policy_of(ALICE) if signed else ACCEPT_UNSIGNED, NOW, allow_future=True
        )

    return make


def _remember(bundle: VerifiedBundle) -> list[str]:
    told: list[str] = []
    accepted_bundles.remember(bundle, NOW, told.append, sync=False)
    return told


def test_state_lies_in_the_users_folder(state: Path) -> None:
    assert state_folder() == state


def test_refuses_bundle_older_than_one_that_was_accepted(made: Any, state: Path) -> None:
    assert _remember(made(0)) == []
    accepted_bundles.refuse_older(made(0), allowed=False)
    with pytest.raises(OutdatedError) as caught:
        accepted_bundles.refuse_older(made(-1), allowed=False)
    assert caught.value.message == (
        "-1-True-demo.tar.zst is older than the newest bundle of 'demo' that was installed here: "
        "created at 2023-11-13T22:13:20Z, that one at 2023-11-14T22:13:20Z"
    )
    assert "--allow-downgrade" in str(caught.value.hint)
    accepted_bundles.refuse_older(made(-1), allowed=True)
    accepted_bundles.refuse_older(made(-1, name="other"), allowed=False)
    assert [path.name for path in state.iterdir()] == ["accepted.json"]


def test_going_back_on_purpose_makes_nothing_forgotten(made: Any, state: Path) -> None:
    _remember(made(0))
    before = (state / "accepted.json").read_bytes()
    assert _remember(made(-1)) == []
    assert (state / "accepted.json").read_bytes() == before


@pytest.mark.parametrize("options", [{"signed": False}, {"days": 2}], ids=["unsigned", "future"])
def test_does_not_remember_what_would_shut_others_out(
    made: Any, state: Path, options: dict[str, Any]
) -> None:
    assert _remember(made(**options)) == []
    assert not state.exists()


def test_remembers_a_bundle_whose_clock_is_a_little_ahead(made: Any, state: Path) -> None:
    _remember(made(1))
    assert json.loads((state / "accepted.json").read_text())["bundles"][0]["name"] == "demo"


def test_unsigned_bundle_has_to_be_newer_too(made: Any) -> None:
    _remember(made(0))
    with pytest.raises(OutdatedError):
        accepted_bundles.refuse_older(made(-1, signed=False), allowed=False)


@pytest.mark.parametrize("content", [b"", b"{}x", b'{"bundles": [{}]}', b"[" * 10_000])
def test_what_cannot_be_understood_stops_everything(made: Any, state: Path, content: bytes) -> None:
    _remember(made(0))
    path = state / "accepted.json"
    path.write_bytes(content)
    for allowed in (False, True):
        with pytest.raises(MalformedError) as caught:
            accepted_bundles.refuse_older(made(0), allowed=allowed)
    assert str(path) in caught.value.message
    assert f"mv {path} {path}.aside" in str(caught.value.hint)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("absent", path)])
def test_what_is_no_plain_file_stops_everything(
    made: Any, state: Path, make: Callable[[Path], object]
) -> None:
    state.mkdir(parents=True)
    make(state / "accepted.json")
    with pytest.raises(TransferError, match="cannot be read"):
        accepted_bundles.refuse_older(made(0), allowed=False)


def test_folder_that_is_not_ours_stops_everything(made: Any, state: Path, tmp_path: Path) -> None:
    _remember(made(0))
    state.chmod(0o777)
    with pytest.raises(ConflictError, match="is writable by others"):
        accepted_bundles.refuse_older(made(0), allowed=False)
    state.rename(tmp_path / "kept")
    state.symlink_to(tmp_path / "kept")
    with pytest.raises(ConflictError, match="is a symbolic link"):
        accepted_bundles.refuse_older(made(0), allowed=False)


def test_umask_of_a_group_is_no_obstacle(made: Any) -> None:
    old = os.umask(0o002)
    try:
        assert _remember(made(0)) == []
    finally:
        os.umask(old)
    accepted_bundles.refuse_older(made(0), allowed=False)


def test_home_that_cannot_be_written_is_told(made: Any, state: Path) -> None:
    state.parent.parent.mkdir(parents=True, exist_ok=True)
    state.parent.touch()
    (told,) = _remember(made(0))
    assert told.startswith("an older bundle of 'demo' will not be refused in another folder: ")
    assert f"{state} cannot be written (" in told


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    return tmp_path


def test_install_remembers_what_is_in_place(main: Main, folder: Path, state: Path) -> None:
    make_bundle(folder / "b.tar.zst", [make_wheel("pure")], keys=[ALICE])
    assert main("install", "b.tar.zst", "--no-sync", "--dry-run").code == 0
    assert not state.exists()
    assert main("install", "b.tar.zst", "--no-sync").code == 0
    (remembered,) = json.loads((state / "accepted.json").read_text())["bundles"]
    assert (remembered["name"], remembered["created"]) == ("demo", "2023-11-14T22:13:20Z")
    before = tree(state)
    assert main("install", "b.tar.zst", "--no-sync").code == 0
    assert tree(state) == before


def test_installation_into_a_home_that_cannot_be_written(folder: Path) -> None:
    make_bundle(folder / "b.tar.zst", [make_wheel("pure")], keys=[ALICE])
    env = {"XDG_STATE_HOME": "/proc/self"}
    ran = bundle("install", "b.tar.zst", "--no-sync", cwd=folder, env=env)
    assert ran.code == 0
    assert "warning: an older bundle of 'demo' will not be refused in another folder" in ran.err
