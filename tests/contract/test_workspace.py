import re
from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.requirements import Requirement

from wheelferry_schemas import __version__

ROOT = Path(__file__).parents[2]
MEMBERS = ("schemas", "installer", "bundler")
DISTRIBUTIONS = (".", *MEMBERS)


def _project(member: str) -> dict[str, Any]:
    text = (ROOT / member / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomli.loads(text)["project"]
    return project


@pytest.mark.parametrize("member", DISTRIBUTIONS)
def test_distributions_have_the_version_that_the_tool_says(member: str) -> None:
    assert _project(member)["version"] == __version__


@pytest.mark.parametrize("member", MEMBERS)
def test_distributions_say_the_same_of_their_licence_pythons_and_kind(member: str) -> None:
    same = ("requires-python", "license", "license-files", "keywords", "classifiers")
    root, own = _project("."), _project(member)
    assert {key: own[key] for key in same} == {key: root[key] for key in same}
    assert (ROOT / member / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("member", DISTRIBUTIONS)
def test_distributions_depend_on_each_other_in_exactly_this_version(member: str) -> None:
    own = {
        Requirement(line).name: str(Requirement(line).specifier)
        for line in _project(member)["dependencies"]
        if line.startswith("wheelferry-")
    }
    assert set(own.values()) <= {f"=={__version__}"}


def test_big_rooms_depend_on_small_ones_and_never_back() -> None:
    depends = {
        member: {d for d in _project(member)["dependencies"] if d.startswith("wheelferry-")}
        for member in DISTRIBUTIONS
    }
    assert {member: len(names) for member, names in depends.items()} == {
        ".": 2,
        "schemas": 0,
        "installer": 1,
        "bundler": 2,
    }


def test_scripts_of_the_distribution_at_the_root_are_those_of_the_installer() -> None:
    assert _project(".")["scripts"] == _project("installer")["scripts"]


def test_development_requirements_are_in_step_with_the_members() -> None:
    lines = (ROOT / "requirements-members.in").read_text(encoding="utf-8").splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    needed = {
        dependency
        for member in MEMBERS
        for dependency in _project(member)["dependencies"]
        if not dependency.startswith("wheelferry-")
    }
    assert listed == needed


def test_development_requirements_pin_everything_with_hashes() -> None:
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "#"))]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9._-]+==[^ ]+( *;.*?)?( +--hash=sha256:[0-9a-f]{64})+ *", line)


def test_development_requirements_hold_no_url() -> None:
    assert "://" not in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
