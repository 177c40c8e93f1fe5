from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.making.locks import target
from wheelferry_bundler.model.locked import Artifact
from wheelferry_bundler.select.wheel_choice import best_wheel

TAGS = (
    "py3-none-any",
    "py2.py3-none-any",
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp311-abi3-manylinux_2_17_x86_64",
    "cp312-none-linux_x86_64",
    "cp312-cp312-win_amd64",
    "cp312-cp312-musllinux_1_2_x86_64",
    "cp313-cp313t-macosx_11_0_arm64",
)
FOREIGN = TAGS[-3:]


def best(*middles: str, platform: str = "manylinux_2_28_x86_64", python: str = "3.12.4") -> str:
    """Return what follows name and version in the file name of the best wheel."""
    wheels = [Artifact(file_name=f"demo-1.0-{middle}.whl") for middle in middles]
    wheel = best_wheel(wheels, target(platform, python))
    assert wheel is not None
    return wheel.file_name.removeprefix("demo-1.0-").removesuffix(".whl")


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_17_x86_64"),
        ("cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux2014_x86_64"),
        ("cp312-cp312-manylinux1_x86_64", "cp312-abi3-manylinux_2_28_x86_64"),
        ("cp312-abi3-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_28_x86_64"),
        ("cp39-abi3-manylinux_2_17_x86_64", "py3-none-manylinux_2_28_x86_64"),
        ("py3-none-linux_x86_64", "py3-none-any"),
        ("py312-none-any", "py3-none-any"),
        ("py2.py3-none-any", "py30-none-any"),
        ("cp312-cp312-win_amd64.manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_27_x86_64"),
        ("2-py3-none-any", "1-py3-none-any"),
        ("10-py3-none-any", "2-py3-none-any"),
        ("2b-py3-none-any", "2a-py3-none-any"),
        ("2a-py3-none-any", "2-py3-none-any"),
        ("1-py3-none-any", "py3-none-any"),
    ],
)
def test_prefers(better: str, worse: str) -> None:
    assert best(worse, better) == best(better, worse) == better


def test_takes_first_file_name_of_equals() -> None:
    """uv takes the first that is listed, and lists them in this order."""
    assert best("py3-none-any", "py2.py3-none-any") == "py2.py3-none-any"


@pytest.mark.parametrize(
    ("platform", "python", "foreign"),
    [
        ("manylinux2014_x86_64", "3.12.4", "cp312-cp312-manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", "3.12.4", "cp312-cp312-musllinux_1_2_x86_64"),
        ("musllinux_1_2_x86_64", "3.12.4", "cp312-cp312-manylinux_2_17_x86_64"),
        ("musllinux_1_1_x86_64", "3.12.4", "cp312-cp312-musllinux_1_2_x86_64"),
        ("manylinux_2_28_aarch64", "3.12.4", "cp312-cp312-manylinux_2_28_x86_64"),
        ("macosx_13_0_arm64", "3.12.4", "cp312-cp312-macosx_14_0_arm64"),
        ("macosx_13_0_arm64", "3.12.4", "cp312-cp312-macosx_10_9_x86_64"),
        ("win_amd64", "3.12.4", "cp312-cp312-win_arm64"),
        ("win_amd64", "3.12.4", "cp313-abi3-win_amd64"),
        ("win_amd64", "3.13.4t", "cp312-abi3-win_amd64"),
        ("win_amd64", "3.13.4t", "cp313-cp313-win_amd64"),
        ("win_amd64", "3.13.4", "cp313-cp313t-win_amd64"),
        ("win_amd64", "3.13.4", "pp310-pypy310_pp73-win_amd64"),
    ],
)
def test_does_not_take(platform: str, python: str, foreign: str) -> None:
    assert best("py3-none-any", foreign, platform=platform, python=python) == "py3-none-any"


def test_takes_stable_abi_of_free_threaded_python() -> None:
    better = "cp313-abi3t-win_amd64"
    assert best("py3-none-any", better, platform="win_amd64", python="3.13.4t") == better


def test_finds_nothing_where_nothing_fits() -> None:
    wheels = [Artifact(file_name=f"demo-1.0-{tag}.whl") for tag in FOREIGN]
    assert best_wheel(wheels, target()) is None


def test_passes_over_what_is_not_named_like_a_wheel() -> None:
    assert best_wheel([Artifact(file_name="demo.whl")], target()) is None


@settings(max_examples=50, deadline=None)
@given(tags=st.lists(st.sampled_from(TAGS), unique=True, min_size=1), data=st.data())
def test_order_of_wheels_does_not_matter(tags: list[str], data: st.DataObject) -> None:
    wheels = [Artifact(file_name=f"demo-1.0-{tag}.whl") for tag in tags]
    shuffled = data.draw(st.permutations(wheels))
    assert best_wheel(wheels, target()) == best_wheel(shuffled, target())


@settings(max_examples=50, deadline=None)
@given(
    tags=st.lists(st.sampled_from(TAGS), unique=True),
    more=st.lists(st.sampled_from(FOREIGN), unique=True),
)
def test_wheels_for_other_platforms_change_nothing(tags: list[str], more: list[str]) -> None:
    wheels = [Artifact(file_name=f"demo-1.0-{tag}.whl") for tag in tags]
    further = [Artifact(file_name=f"demo-1.0-1-{tag}.whl") for tag in more]
    assert best_wheel(wheels, target()) == best_wheel([*further, *wheels], target())
