import pytest

from wheelferry_schemas.host_rules.user_folders import config_folder, state_folder

APPLE = "/Users/a/Library/Application Support/wheelferry"


@pytest.mark.parametrize(
    ("environment", "platform", "folder"),
    [
        ({}, "linux", "/home/a/.config/wheelferry"),
        ({"XDG_CONFIG_HOME": "/x"}, "linux", "/x/wheelferry"),
        ({"XDG_CONFIG_HOME": "/x/"}, "linux", "/x/wheelferry"),
        ({"XDG_CONFIG_HOME": ""}, "linux", "/home/a/.config/wheelferry"),
        ({"XDG_CONFIG_HOME": "x"}, "linux", "/home/a/.config/wheelferry"),
        ({"XDG_CONFIG_HOME": "~/x"}, "linux", "/home/a/.config/wheelferry"),
        ({"APPDATA": "C:/a"}, "win32", "C:/a/wheelferry"),
        ({"APPDATA": ""}, "win32", "/home/a/wheelferry"),
    ],
)
def test_config_folder(environment: dict[str, str], platform: str, folder: str) -> None:
    assert config_folder(environment, platform, "/home/a") == folder


def test_folders_of_a_mac_are_where_its_programs_look() -> None:
    assert config_folder({"XDG_CONFIG_HOME": "/x"}, "darwin", "/Users/a") == APPLE
    assert state_folder({}, "darwin", "/Users/a") == APPLE


@pytest.mark.parametrize(
    ("environment", "is_root", "folder"),
    [
        ({}, False, "/home/a/.local/state/wheelferry"),
        ({"XDG_STATE_HOME": "/x"}, False, "/x/wheelferry"),
        ({"XDG_STATE_HOME": ""}, False, "/home/a/.local/state/wheelferry"),
        ({"XDG_STATE_HOME": "x"}, False, "/home/a/.local/state/wheelferry"),
        ({}, True, "/var/lib/wheelferry"),
        ({"XDG_STATE_HOME": ""}, True, "/var/lib/wheelferry"),
        ({"XDG_STATE_HOME": "/x"}, True, "/x/wheelferry"),
    ],
)
def test_state_folder(environment: dict[str, str], is_root: bool, folder: str) -> None:
    assert state_folder(environment, "linux", "/home/a", is_root=is_root) == folder


def test_state_folder_of_windows() -> None:
    assert state_folder({"LOCALAPPDATA": "C:/l"}, "win32", "C:/u") == "C:/l/wheelferry"
