from __future__ import annotations

import pytest

from wheelferry_bundler.select.markers import Markers
from wheelferry_schemas.errors import MalformedError

LINUX = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.4",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.12.4",
    "python_version": "3.12",
    "sys_platform": "linux",
}


@pytest.fixture
def markers() -> Markers:
    return Markers(LINUX)


@pytest.mark.parametrize(
    "marker",
    [
        None,
        "sys_platform == 'linux'",
        "python_full_version == '3.12.*' and platform_machine != 'aarch64'",
        "python_version in '3.11 3.12'",
        "'inu' in sys_platform",
        "extra != 'extra-3-foo-cpu'",
    ],
)
def test_holds(markers: Markers, marker: str | None) -> None:
    assert markers.holds(marker)


@pytest.mark.parametrize(
    "marker",
    [
        "sys_platform == 'win32'",
        "python_full_version >= '3.12.5'",
        "extra == 'extra-3-foo-cpu'",
        "'pretty' in extras",
        "'dev' in dependency_groups",
        "extra == 'plain'",
    ],
)
def test_does_not_hold(markers: Markers, marker: str) -> None:
    assert not markers.holds(marker)


def test_asks_nothing_of_the_machine_that_decides() -> None:
    windows = Markers({**LINUX, "sys_platform": "win32", "os_name": "nt"})
    assert windows.holds("sys_platform == 'win32' and os_name == 'nt'")


def test_knows_many_synthetic_extras_at_once(markers: Markers) -> None:
    marker = "extra == 'extra-3-foo-cpu' and extra == 'group-3-foo-dev' and extra != 'project-1-a'"
    assert markers.holds(marker, frozenset({"extra-3-foo-cpu", "group-3-foo-dev"}))


def test_knows_extras_and_groups_of_pylock(markers: Markers) -> None:
    marker = "'pretty' in extras and 'docs' in dependency_groups and 'dev' not in dependency_groups"
    assert markers.holds(marker, frozenset({"pretty"}), frozenset({"docs"}))


def test_decides_same_marker_anew_for_other_extras(markers: Markers) -> None:
    marker = "extra == 'extra-3-foo-cpu'"
    assert [markers.holds(marker, frozenset(names)) for names in ((), ("extra-3-foo-cpu",))] == [
        False,
        True,
    ]


def test_remembers_what_was_decided(markers: Markers) -> None:
    decided = {"sys_platform == 'win32'", "'dev' in dependency_groups"}
    for marker in decided:
        markers.holds(marker)
    assert markers.decided == decided


@pytest.mark.parametrize("marker", ["", "linux", "sys_platform ==", "nonsense == 'x'", "('a' in"])
def test_refuses_what_is_no_marker(markers: Markers, marker: str) -> None:
    with pytest.raises(MalformedError, match="not a marker"):
        markers.holds(marker)


def test_refuses_comparison_that_means_nothing(markers: Markers) -> None:
    with pytest.raises(MalformedError, match="cannot be decided"):
        markers.holds("platform_version ~= '1.0'")
