from __future__ import annotations

import pytest
from packaging.tags import Tag

from wheelferry_bundler.model.conflicts import SyntheticExtra
from wheelferry_bundler.model.locked import Artifact, PackageKey


def test_wheel_states_name_version_build_and_tags_by_its_file_name() -> None:
    wheel = Artifact(file_name="Some_Thing-1.0+cpu-2a-py2.py3-none-any.whl")
    assert wheel.name_and_version == ("some-thing", "1.0+cpu")
    assert wheel.build == (2, "a")
    assert wheel.tags == {Tag("py2", "none", "any"), Tag("py3", "none", "any")}


@pytest.mark.parametrize(
    "file_name", ["a-1.0.tar.gz", "a.whl", "a-b-c-d-e.whl", "a-1-py3-none.whl"]
)
def test_what_is_not_named_like_a_wheel_fits_nothing(file_name: str) -> None:
    artifact = Artifact(file_name=file_name)
    assert (artifact.name_and_version, artifact.build, artifact.tags) == (("", ""), (), frozenset())


def test_package_is_shown_with_its_version_where_it_has_one() -> None:
    shown = [str(PackageKey(name="leaf", version=version, source="")) for version in ("1.0", None)]
    assert shown == ["leaf 1.0", "leaf"]


@pytest.mark.parametrize(
    ("item", "in_marker", "in_message"),
    [
        (SyntheticExtra("extra", "foo", "cpu"), "extra-3-foo-cpu", "`foo[cpu]`"),
        (SyntheticExtra("group", "foo-bar", "dev"), "group-7-foo-bar-dev", "`foo-bar:dev`"),
        (SyntheticExtra("project", "foo"), "project-3-foo", "`foo`"),
    ],
)
def test_what_conflicts_is_spelled_as_uv_does(
    item: SyntheticExtra, in_marker: str, in_message: str
) -> None:
    assert (item.text, str(item)) == (in_marker, in_message)
