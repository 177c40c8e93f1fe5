from __future__ import annotations

from pathlib import Path

import pytest

from wheelferry_bundler.fetch.wheel_folders import list_folders
from wheelferry_bundler.model.locations import Index, Locations, WheelFolder
from wheelferry_schemas.errors import UsageError

URL = "https://user:s3cret@index.example/simple"


def test_folders_are_listed_once(tmp_path: Path) -> None:
    (tmp_path / "b.whl").touch()
    (tmp_path / "folder").mkdir()
    locations = Locations(folders=list_folders([tmp_path]))
    (tmp_path / "a.whl").touch()
    assert locations.files == {"b.whl": (tmp_path / "b.whl",)}


def test_file_of_several_folders_is_taken_from_the_first() -> None:
    folders = (WheelFolder(Path("one"), ("a.whl",)), WheelFolder(Path("two"), ("a.whl", "b.whl")))
    assert Locations(folders=folders).files == {
        "a.whl": (Path("one", "a.whl"), Path("two", "a.whl")),
        "b.whl": (Path("two", "b.whl"),),
    }


def test_refuses_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--find-links"):
        list_folders([tmp_path / "none"])


def test_shows_no_logins() -> None:
    locations = Locations(mirrors=(URL,), indexes=(Index(url=URL),))
    assert "s3cret" not in repr(locations)
