from pathlib import Path

import pytest

from wheelferry_bundler.model.bundle_names import checked, named_after
from wheelferry_schemas.errors import UsageError


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("app", "app"),
        ("My App", "my-app"),
        ("Our_Things.2", "our-things-2"),
        ("-x-", "x"),
        ("app/requirements", "app"),
        ("app/Requirements", "app"),
        ("проект", "other"),
        ("requirements.d", "requirements-d"),
    ],
)
def test_bundle_is_named_after_the_folder(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert named_after(tmp_path / folder, "other") == name
    assert checked(name) == name


def test_folder_is_the_one_that_a_link_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    assert named_after(Path(), "other") == "app"
    assert named_after(Path("/"), "other") == "other"


@pytest.mark.parametrize(("name", "spelled"), [("App", "app"), ("a_b.C", "a-b-c")])
def test_chosen_name_has_one_spelling(name: str, spelled: str) -> None:
    assert checked(name) == spelled


@pytest.mark.parametrize("name", ["", "-", "a b", "../a", "a\x1b[2J", "ä", "a\n"])
def test_refuses_name_that_no_package_could_have(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a bundle") as caught:
        checked(name)
    assert caught.value.hint is not None
