from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from wheelferry_bundler.fetch.logins import Login, Logins
from wheelferry_bundler.model.locations import Index

INDEX = "https://index.example/team/simple"
FILE = "https://index.example/files/a.whl"
ALICE = Login("alice", "p@ss")


@pytest.fixture
def netrc() -> Path:
    """A netrc file with a login for index.example."""
    path = Path.home() / ".netrc"
    path.write_text("machine index.example login netty password from-netrc\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def keyring_command(folder: Path, text: str) -> dict[str, str]:
    """Make a `keyring` command with this shell script; returns an environment that finds it."""
    folder.mkdir()
    command = folder / "keyring"
    command.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    command.chmod(0o755)
    return {"PATH": str(folder)}


def test_takes_login_of_the_url_itself() -> None:
    assert Logins(environ={}).find("https://alice:p%40ss@index.example/a.whl") == ALICE


def test_takes_login_of_an_index_at_the_same_origin() -> None:
    logins = Logins([Index(url="https://alice:p%40ss@index.example/simple")], {})
    assert logins.find(FILE) == ALICE


def test_sends_no_login_to_another_origin() -> None:
    logins = Logins([Index(url="https://alice:p%40ss@index.example/simple")], {})
    assert logins.find("https://files.example/a.whl") is None
    assert logins.find("http://index.example/a.whl") is None


def test_takes_login_of_the_index_with_the_nearest_path() -> None:
    logins = Logins(
        [
            Index(url="https://bob:other@index.example/"),
            Index(url="https://alice:p%40ss@index.example/team"),
        ],
        {},
    )
    assert logins.find("https://index.example/team/a.whl") == ALICE


def test_takes_login_of_the_variables_that_bear_the_name_of_the_index() -> None:
    environ = {"UV_INDEX_MY_TEAM_USERNAME": "alice", "UV_INDEX_MY_TEAM_PASSWORD": "p@ss"}
    assert Logins([Index(url=INDEX, name="my-team")], environ).find(FILE) == ALICE


def test_completes_user_name_of_the_url_by_the_variable_for_the_password() -> None:
    index = Index(url="https://alice@index.example/simple", name="own")
    assert Logins([index], {"UV_INDEX_OWN_PASSWORD": "p@ss"}).find(FILE) == ALICE


@pytest.mark.usefixtures("netrc")
def test_takes_login_of_netrc() -> None:
    assert Logins(environ={}).find(FILE) == Login("netty", "from-netrc")


@pytest.mark.usefixtures("netrc")
def test_prefers_login_of_an_index_to_netrc() -> None:
    index = Index(url="https://alice:p%40ss@index.example/simple")
    assert Logins([index], {}).find(FILE) == ALICE


@pytest.mark.usefixtures("netrc")
def test_takes_no_password_of_another_user_from_netrc() -> None:
    index = Index(url="https://alice@index.example/simple")
    assert Logins([index], {}).find(FILE) == Login("alice", "")


def test_asks_the_keyring_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def get_credential(service: str, user: str | None) -> object:
        asked.append((service, user))
        found = SimpleNamespace(username="alice", password="p@ss")
        return found if service == "index.example" else None

    library = SimpleNamespace(get_credential=get_credential)
    monkeypatch.setitem(sys.modules, "keyring", library)
    logins = Logins([Index(url=INDEX)], {})
    assert logins.ask_keyring(FILE) == ALICE
    assert asked == [(INDEX, None), ("index.example", None)]


def test_asks_the_keyring_command_where_there_is_no_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    script = '[ "$1 $2 $3" = "get index.example alice" ] && echo p@ss'
    monkeypatch.setenv("PATH", keyring_command(tmp_path / "bin", script)["PATH"])
    assert Logins([Index(url="https://alice@index.example/simple")]).ask_keyring(FILE) == ALICE


def test_remembers_what_the_keyring_said(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(get_credential=lambda _service, _user: ALICE_IN_KEYRING)
    monkeypatch.setitem(sys.modules, "keyring", library)
    logins = Logins(environ={})
    logins.ask_keyring(FILE)
    assert logins.find(FILE) == ALICE


def test_does_without_a_keyring_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_credential(_service: str, _user: str | None) -> object:
        raise RuntimeError("no backend")

    library = SimpleNamespace(get_credential=get_credential)
    monkeypatch.setitem(sys.modules, "keyring", library)
    assert Logins(environ={}).ask_keyring(FILE) is None


@pytest.mark.parametrize("variable", ["UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER"])
def test_does_not_ask_a_disabled_keyring(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    library = SimpleNamespace(get_credential=lambda _service, _user: ALICE_IN_KEYRING)
    monkeypatch.setitem(sys.modules, "keyring", library)
    assert Logins(environ={variable: "disabled"}).ask_keyring(FILE) is None


def test_does_not_show_a_password() -> None:
    assert "p@ss" not in repr(ALICE)


ALICE_IN_KEYRING = SimpleNamespace(username="alice", password="p@ss")
