from pathlib import Path

import pytest

from wheelferry_bundler.model.locked import Artifact, PackageSource
from wheelferry_bundler.read.project_paths import confined, leaves, local_path

SOURCE = PackageSource(kind="registry", location="https://index.example/simple")


def test_file_url_names_local_path(tmp_path: Path) -> None:
    path = tmp_path / "with space" / "a.whl"
    assert local_path(path.as_uri()) == path


@pytest.mark.parametrize("scheme", ["file", "FILE", " file"])
def test_file_url_is_recognized_however_it_is_spelled(scheme: str) -> None:
    assert local_path(f"{scheme}:///wheels/a.whl") == Path("/wheels/a.whl")


def test_other_url_names_no_local_path() -> None:
    assert local_path("https://index.example/a.whl") is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("wheels/a.whl", False),
        ("a/../b", False),
        (".", False),
        ("../a", True),
        ("/elsewhere", True),
    ],
)
def test_path_that_leads_out_of_the_project(location: str, expected: bool, tmp_path: Path) -> None:
    assert leaves(tmp_path, location) is expected


@pytest.mark.parametrize(("folder", "expected"), [("project", False), ("elsewhere", True)])
def test_source_states_that_a_file_lies_outside(
    folder: str, expected: bool, tmp_path: Path
) -> None:
    artifact = Artifact(file_name="a.whl", path=tmp_path / folder / "a.whl")
    source = confined(SOURCE, [None, artifact], tmp_path / "project")
    assert source.leaves_project is expected
