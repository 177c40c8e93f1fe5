from __future__ import annotations

import pytest

from support.locks import edge, package, project, selected, target


def hint(*tags: str, platform: str, python: str = "3.12.4", sdist: bool = False) -> str:
    """Return the hint for a package that has wheels of these tags alone."""
    selection = selected(
        project("demo", edge("leaf")),
        package("leaf", wheels=tags, sdist=sdist),
        on=target(platform, python),
    )
    [problem] = selection.problems
    assert problem.hint is not None
    return problem.hint


@pytest.mark.parametrize(
    ("platform", "tags", "fix"),
    [
        (
            "manylinux2014_x86_64",
            ["cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_34_x86_64"],
            "--platform manylinux_2_28_x86_64 (glibc 2.28)",
        ),
        (
            "manylinux_2_17_aarch64",
            ["cp310-abi3-manylinux_2_24_aarch64.manylinux_2_31_aarch64"],
            "--platform manylinux_2_24_aarch64 (glibc 2.24)",
        ),
        (
            "musllinux_1_1_x86_64",
            ["cp312-cp312-musllinux_1_2_x86_64"],
            "--platform musllinux_1_2_x86_64",
        ),
        (
            "macosx_11_0_arm64",
            ["cp312-cp312-macosx_14_0_universal2", "cp312-cp312-macosx_15_0_arm64"],
            "--platform macosx_14_0_arm64",
        ),
    ],
)
def test_names_smallest_platform_that_would_do(platform: str, tags: list[str], fix: str) -> None:
    assert f": {fix} would do, if the far side has that" in hint(*tags, platform=platform)


def test_names_pythons_that_would_do() -> None:
    tags = ["cp310-cp310-win_amd64", "cp311-cp311-win_amd64"]
    assert ": --python 3.10 or --python 3.11 would do" in hint(*tags, platform="win_amd64")


def test_names_both_where_either_would_do() -> None:
    tags = ["cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64"]
    assert ": --platform manylinux_2_28_x86_64 (glibc 2.28) or --python 3.11 would do" in hint(
        *tags, platform="manylinux2014_x86_64"
    )


def test_names_both_together_where_neither_alone_would_do() -> None:
    tags = ["cp311-cp311-manylinux_2_28_x86_64"]
    assert ": --platform manylinux_2_28_x86_64 (glibc 2.28) with --python 3.11 would do" in hint(
        *tags, platform="manylinux2014_x86_64"
    )


def test_names_python_with_lock_for_free_threaded_one() -> None:
    tags = ["cp313-cp313-win_amd64"]
    assert ": --python 3.13 would do" in hint(*tags, platform="win_amd64", python="3.13.4t")


def test_advises_other_version_where_nothing_would_do() -> None:
    assert hint("cp312-cp312-win_amd64", platform="macosx_13_0_arm64") == (
        "it has cp312-cp312-win_amd64: lock another version of leaf, or leave it out there with "
        "a marker"
    )


def test_says_what_becomes_of_source_archive() -> None:
    said = hint("cp312-cp312-win_amd64", platform="macosx_13_0_arm64", sdist=True)
    assert said.endswith("its source archive would be built for this host, not for the target")


def test_shows_nearest_tags_first_and_not_all() -> None:
    tags = [f"cp3{minor}-cp3{minor}-win_arm64" for minor in range(10, 20)]
    near = "cp312-cp312-musllinux_1_2_x86_64"
    said = hint(*tags, near, platform="musllinux_1_1_x86_64")
    assert said.startswith(f"it has {near}, ")
    assert " and 5 more: " in said
