from __future__ import annotations

import pytest

from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("manylinux_2_28_amd64", "manylinux_2_28_x86_64"),
        ("manylinux_2_35_arm64", "manylinux_2_35_aarch64"),
        ("manylinux2014_i386", "manylinux2014_i686"),
        ("manylinux_2_28_x86", "manylinux_2_28_i686"),
        ("manylinux_2_28_x86-64", "manylinux_2_28_x86_64"),
        ("musllinux_1_2_armhf", "musllinux_1_2_armv7l"),
        ("manylinux_2_28_ppc64el", "manylinux_2_28_ppc64le"),
        ("linux_amd64", "linux_x86_64"),
        ("linux/arm64", "linux_aarch64"),
        ("macosx_13_0_aarch64", "macosx_13_0_arm64"),
        ("macosx_13_arm64", "macosx_13_0_arm64"),
        ("macos-x64", "macosx_11_0_x86_64"),
        ("win-amd64", "win_amd64"),
        ("win_x86_64", "win_amd64"),
        ("windows-arm64", "win_arm64"),
        ("win_x86", "win32"),
        ("Win64", "win_amd64"),
    ],
)
def test_suggests_name_with_machine_as_platform_tags_spell_it(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match="unknown platform") as caught:
        parse_platform(typed)
    assert caught.value.hint == f"did you mean {meant}?"
    assert parse_platform(meant)


@pytest.mark.parametrize("typed", ["manylinux_2_28_x8664", "manylinux_2_28_x64_86"])
def test_suggests_near_names_for_what_is_misspelt(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_platform(typed)
    assert "manylinux_2_28_x86_64" in str(caught.value.hint)


@pytest.mark.parametrize("typed", ["", "_", "solaris", "amd64"])
def test_gives_examples_where_nothing_is_near(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_platform(typed)
    assert caught.value.hint is not None
