from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from support.making.locks import edge, package, project, selected, target
from wheelferry_bundler.select.missing_wheels import MissingWheelError, joined
from wheelferry_schemas.target import Target


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
    assert f": {fix} would help, if the air-gapped host has it" in hint(*tags, platform=platform)


def test_names_pythons_that_would_do() -> None:
    tags = ["cp310-cp310-win_amd64", "cp311-cp311-win_amd64"]
    assert ": --python 3.10 or --python 3.11 would help" in hint(*tags, platform="win_amd64")


def test_names_both_where_either_would_do() -> None:
    tags = ["cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64"]
    assert ": --platform manylinux_2_28_x86_64 (glibc 2.28) or --python 3.11 would help" in hint(
        *tags, platform="manylinux2014_x86_64"
    )


def test_names_both_together_where_neither_alone_would_do() -> None:
    tags = ["cp311-cp311-manylinux_2_28_x86_64"]
    assert ": --platform manylinux_2_28_x86_64 (glibc 2.28) with --python 3.11 would help" in hint(
        *tags, platform="manylinux2014_x86_64"
    )


def test_names_python_with_lock_for_free_threaded_one() -> None:
    tags = ["cp313-cp313-win_amd64"]
    assert ": --python 3.13 would help" in hint(*tags, platform="win_amd64", python="3.13.4t")


def test_advises_other_version_where_nothing_would_do() -> None:
    assert hint("cp312-cp312-win_amd64", platform="macosx_13_0_arm64") == (
        "it has cp312-cp312-win_amd64: lock another version of leaf, pass --find-links with a folder "
        "that has a wheel of it, or leave it out with --no-install-package leaf"
    )


def test_says_what_becomes_of_source_archive() -> None:
    said = hint("cp312-cp312-win_amd64", platform="macosx_13_0_arm64", sdist=True)
    assert said.endswith("its source archive would be built for this host, not for the target")


def test_names_other_ways_besides_a_newer_platform() -> None:
    said = hint("cp312-cp312-manylinux_2_28_x86_64", platform="manylinux2014_x86_64")
    assert said.endswith(
        "would help, if the air-gapped host has it; else lock another version of leaf, pass --find-links "
        "with a folder that has a wheel of it, or leave it out with --no-install-package leaf"
    )


def test_asks_no_described_host_for_a_newer_system() -> None:
    described = target("manylinux2014_x86_64").replaced(assumed=())
    selection = selected(
        project("demo", edge("leaf")),
        package("leaf", wheels=["cp312-cp312-manylinux_2_28_x86_64"]),
        on=described,
    )
    [problem] = selection.problems
    assert problem.hint == (
        "it has cp312-cp312-manylinux_2_28_x86_64: lock another version of leaf, pass --find-links "
        "with a folder that has a wheel of it, or leave it out with --no-install-package leaf"
    )


def problems_of(wheels: Mapping[str, Sequence[str]], *targets: Target) -> list[MissingWheelError]:
    """Return what is missing on some targets of packages that have wheels of these tags."""
    lock = (
        project("demo", *map(edge, wheels)),
        *(package(name, wheels=tags) for name, tags in wheels.items()),
    )
    found = [problem for on in targets for problem in selected(*lock, on=on).problems]
    missing = [problem for problem in found if isinstance(problem, MissingWheelError)]
    assert len(missing) == len(found)
    return missing


def test_names_one_platform_that_would_do_for_all() -> None:
    wheels = {
        "numpy": ["cp312-cp312-manylinux_2_27_x86_64", "cp312-cp312-manylinux_2_28_x86_64"],
        "pandas": ["cp312-cp312-manylinux_2_24_x86_64"],
    }
    error = joined(problems_of(wheels, target("manylinux2014_x86_64")))
    assert error.message == "2 packages have no wheel for a target"
    assert error.details == (
        (
            "numpy 1.0 has no wheel for cp312 on manylinux2014_x86_64: it has "
            "cp312-cp312-manylinux_2_27_x86_64, cp312-cp312-manylinux_2_28_x86_64"
        ),
        (
            "pandas 1.0 has no wheel for cp312 on manylinux2014_x86_64: it has "
            "cp312-cp312-manylinux_2_24_x86_64"
        ),
    )
    assert error.hint == (
        "--platform manylinux_2_27_x86_64 (glibc 2.27) would help, if the air-gapped host has it; else "
        "lock other versions, pass --find-links with a folder that has wheels of them, or leave "
        "them out with --no-install-package numpy --no-install-package pandas"
    )


def test_says_for_which_packages_a_platform_would_do() -> None:
    wheels = {
        "numpy": ["cp312-cp312-manylinux_2_28_x86_64"],
        "other": ["cp312-cp312-win_amd64"],
    }
    error = joined(problems_of(wheels, target("manylinux2014_x86_64")))
    assert str(error.hint).startswith(
        "--platform manylinux_2_28_x86_64 (glibc 2.28) would help for numpy, if the air-gapped "
        "host has it; else lock other versions"
    )


def test_names_no_platform_where_none_would_do() -> None:
    wheels = {"one": ["cp312-cp312-win_amd64"], "other": ["cp312-cp312-win_amd64"]}
    error = joined(problems_of(wheels, target("manylinux2014_x86_64")))
    assert str(error.hint).startswith("lock other versions")


def test_tells_a_package_once_with_its_pythons() -> None:
    wheels = {"numpy": [f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64" for minor in (10, 11, 12)]}
    targets = [target("manylinux2014_x86_64", f"3.{minor}") for minor in (10, 11, 12)]
    error = joined(problems_of(wheels, *targets))
    assert error.message == (
        "numpy 1.0 has no wheel for cp310, cp311 and cp312 on manylinux2014_x86_64"
    )
    assert ": --platform manylinux_2_28_x86_64 (glibc 2.28) would help" in str(error.hint)


def test_tells_a_package_once_with_its_platforms() -> None:
    wheels = {"numpy": ["cp312-cp312-manylinux_2_28_x86_64"]}
    targets = [target(platform) for platform in ("win_amd64", "macosx_13_0_arm64")]
    error = joined(problems_of(wheels, *targets))
    assert error.message == (
        "numpy 1.0 has no wheel for cp312 on win_amd64, cp312 on macosx_13_0_arm64"
    )
    assert "--platform" not in str(error.hint)


@pytest.mark.parametrize(
    ("platform", "first"),
    [
        ("macosx_13_0_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("win_arm64", "cp312-cp312-macosx_11_0_arm64"),
        ("musllinux_1_2_aarch64", "cp312-cp312-macosx_11_0_arm64"),
    ],
)
def test_names_tags_of_the_own_machine_first(platform: str, first: str) -> None:
    tags = [
        "cp312-cp312-macosx_11_0_arm64",
        "cp312-cp312-manylinux_2_28_s390x",
        "cp312-cp312-manylinux_2_28_x86_64",
    ]
    assert hint(*tags, platform=platform).startswith(f"it has {first}, ")


def test_shows_nearest_tags_first_and_not_all() -> None:
    tags = [f"cp3{minor}-cp3{minor}-win_arm64" for minor in range(10, 20)]
    near = "cp312-cp312-musllinux_1_2_x86_64"
    said = hint(*tags, near, platform="musllinux_1_1_x86_64")
    assert said.startswith(f"it has {near}, ")
    assert " and 5 more: " in said
