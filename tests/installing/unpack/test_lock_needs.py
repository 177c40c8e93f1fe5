import pytest

from support.making.locks import edge, package, project, target, uv_lock
from wheelferry_installer.unpack.lock_needs import Flags, needed, uv_flags
from wheelferry_installer.unpack.project_lock import read_uv_lock
from wheelferry_schemas.errors import MalformedError


def names(*packages: str, options: tuple[str, ...] = (), head: str = "") -> list[str]:
    lock = read_uv_lock(uv_lock(*packages, head=head))
    return sorted(needed(lock, target(), Flags(options=options)))


DEMO = project(
    "demo",
    edge("pure"),
    edge("windows", marker="sys_platform == 'win32'"),
    extras={"plot": [edge("plotter")], "web": [edge("server", extra=["fast"])]},
    groups={"dev": [edge("tester")], "docs": [edge("writer")]},
)
PACKAGES = (
    DEMO,
    package("pure", needs=[edge("deeper")]),
    *(package(name) for name in ("deeper", "windows", "plotter", "tester", "writer", "speed")),
    package("server", extras={"fast": [edge("speed")], "slow": [edge("windows")]}),
)


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ((), ["tester"]),
        (("--no-dev",), []),
        (("--no-default-groups",), []),
        (("--no-group dev",), []),
        (("--group docs",), ["tester", "writer"]),
        (("--all-groups",), ["tester", "writer"]),
        (("--all-groups", "--no-group dev"), ["writer"]),
        (("--extra plot", "--no-dev"), ["plotter"]),
        (("--extra web", "--no-dev"), ["server", "speed"]),
        (("--all-extras", "--no-extra web", "--no-dev"), ["plotter"]),
    ],
)
def test_follows_what_uv_sync_would(options: tuple[str, ...], more: list[str]) -> None:
    assert names(*PACKAGES, options=options) == sorted(["deeper", "demo", "pure", *more])


@pytest.mark.parametrize("option", ["--only-dev", "--only-group dev"])
def test_only_a_group(option: str) -> None:
    assert names(*PACKAGES, options=(option,)) == ["tester"]


def test_package_that_is_not_to_be_installed() -> None:
    assert "pure" not in names(*PACKAGES, options=("--no-install-package pure",))


@pytest.mark.parametrize(
    ("options", "wanted"),
    [((), ["a", "demo"]), (("--package two",), ["b", "two"]), (("--all-packages",), list("ab"))],
)
def test_members_of_a_workspace(options: tuple[str, ...], wanted: list[str]) -> None:
    found = names(
        project("demo", edge("a")),
        project("two", edge("b"), folder="two"),
        package("a"),
        package("b"),
        options=options,
        head='[manifest]\nmembers = ["demo", "two"]\n',
    )
    assert set(wanted) <= set(found)
    assert ("a" in found) == ("a" in wanted)


def test_workspace_without_a_root_project_means_all_members() -> None:
    found = names(
        project("one", edge("a"), folder="one"),
        project("two", edge("b"), folder="two"),
        package("a"),
        package("b"),
        head='[manifest]\nmembers = ["one", "two"]\n',
    )
    assert found == ["a", "b", "one", "two"]


def test_choice_between_conflicting_extras_is_left_to_uv() -> None:
    lock = project("demo", edge("torch", marker="extra == 'extra-4-demo-cpu'"))
    assert names(lock, package("torch")) == ["demo"]


def test_refuses_marker_that_is_none() -> None:
    with pytest.raises(MalformedError, match="pure has an invalid marker"):
        names(project("demo", edge("pure", marker="???")), package("pure"))


def test_flags_are_those_that_uv_sync_knows() -> None:
    options = ["--allow-outside-paths", "--extra plot", "--no-dev"]
    assert uv_flags(options) == ["--extra", "plot", "--no-dev"]
