from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from support.making.locks import edge, names, package, project, read, selected, target, uv_lock
from wheelferry_bundler.select.python_releases import kept_patches, newest_patch
from wheelferry_bundler.select.selection import Selection, select
from wheelferry_schemas.errors import MalformedError, UnfitError, UsageError

WINDOWS = target("win_amd64")
PATCHED = edge("backport", marker="python_full_version < '3.12.3'")
KERNEL = edge("driver", marker="platform_release >= '6'")


def messages(selection: Selection) -> list[str]:
    return [problem.message for problem in selection.problems]


def test_follows_edges_whose_marker_holds() -> None:
    lock = (
        project("demo", edge("leaf"), edge("winthing", marker="sys_platform == 'win32'")),
        package("leaf", needs=[edge("deep", marker="platform_machine == 'AMD64'")]),
        package("winthing"),
        package("deep"),
    )
    assert names(selected(*lock)) == {"demo", "leaf"}
    assert names(selected(*lock, on=WINDOWS)) == {"demo", "leaf", "deep", "winthing"}


def test_follows_extras_of_extras_that_edges_ask_for() -> None:
    selection = selected(
        project("demo", edge("tree", extra=["all"])),
        package(
            "tree",
            extras={
                "all": [edge("tree", extra=["fast"])],
                "fast": [edge("leaf")],
                "unused": [edge("other")],
            },
        ),
        package("leaf"),
        package("other"),
    )
    assert names(selection) == {"demo", "tree", "leaf"}


def test_passes_over_extra_that_package_does_not_have() -> None:
    selection = selected(project("demo", edge("leaf", extra=["none"])), package("leaf"))
    assert names(selection) == {"demo", "leaf"}


def test_ends_where_packages_need_each_other() -> None:
    selection = selected(
        project("demo", edge("hen")),
        package("hen", needs=[edge("egg")]),
        package("egg", needs=[edge("hen")]),
    )
    assert names(selection) == {"demo", "hen", "egg"}


def test_tells_what_needs_what_of_what_is_selected() -> None:
    selection = selected(
        project("demo", edge("tree", extra=["more"])),
        package(
            "tree",
            needs=[edge("leaf"), edge("winthing", marker="os_name == 'nt'")],
            extras={"more": [edge("bird")]},
        ),
        *map(package, ("leaf", "winthing", "bird")),
    )
    assert {chosen.package.name: chosen.dependencies for chosen in selection.chosen} == {
        "bird": (),
        "demo": ("tree",),
        "leaf": (),
        "tree": ("bird", "leaf"),
    }
    assert selection.roots == ("demo",)


def test_does_not_install_virtual_project() -> None:
    root = package("demo", source='virtual = "."', wheels=(), needs=[edge("leaf")])
    assert names(selected(root, package("leaf"))) == {"leaf"}


def test_walks_through_what_is_left_out() -> None:
    lock = (
        project("demo", edge("tree")),
        package("tree", needs=[edge("leaf")]),
        package("leaf"),
    )
    assert names(selected(*lock, no_install_packages=("Tree",))) == {"demo", "leaf"}


def test_needs_no_wheel_of_what_is_left_out() -> None:
    lock = (project("demo", edge("leaf")), package("leaf", wheels=["cp312-cp312-win_amd64"]))
    assert names(selected(*lock, no_install_packages=("leaf",))) == {"demo"}


def test_takes_version_of_fork() -> None:
    lock = (
        project(
            "demo",
            edge("leaf", version="1.0", marker="sys_platform == 'win32'"),
            edge("leaf", version="2.0", marker="sys_platform != 'win32'"),
        ),
        package("leaf", "1.0"),
        package("leaf", "2.0"),
    )
    versions = {
        chosen.package.name: chosen.package.key.version for chosen in selected(*lock).chosen
    }
    assert versions == {"demo": "1.0", "leaf": "2.0"}


def test_refuses_two_versions_at_once() -> None:
    selection = selected(
        project("demo", edge("leaf", version="1.0"), edge("leaf", version="2.0")),
        package("leaf", "1.0"),
        package("leaf", "2.0"),
    )
    assert messages(selection) == [
        (
            "leaf is selected more than once for cp312_4-manylinux_2_28_x86_64: "
            "1.0 from https://index.example/simple, 2.0 from https://index.example/simple"
        )
    ]


def test_names_every_package_without_fitting_wheel() -> None:
    selection = selected(
        project("demo", edge("one"), edge("two"), edge("fine")),
        package("one", wheels=["cp312-cp312-win_amd64"]),
        package("two", wheels=["cp311-cp311-manylinux_2_17_x86_64"]),
        package("fine"),
    )
    assert messages(selection) == [
        "one 1.0 has no wheel for cp312 on manylinux_2_28_x86_64",
        "two 1.0 has no wheel for cp312 on manylinux_2_28_x86_64",
    ]


def test_does_not_build_what_has_wheels_for_others() -> None:
    other = package("leaf", wheels=["cp312-cp312-win_amd64"], sdist=True)
    assert messages(selected(project("demo", edge("leaf")), other)) == [
        "leaf 1.0 has no wheel for cp312 on manylinux_2_28_x86_64"
    ]


@pytest.mark.parametrize(
    "source",
    ['git = "https://git.example/leaf#0123"', 'directory = "leaf"', 'url = "https://a.example/l"'],
)
def test_leaves_what_has_no_wheels_to_be_built(source: str) -> None:
    selection = selected(project("demo", edge("leaf")), package("leaf", source=source, wheels=()))
    assert [chosen.wheel for chosen in selection.chosen] == [None, None]


def test_leaves_source_archive_without_wheels_to_be_built() -> None:
    selection = selected(project("demo", edge("leaf")), package("leaf", wheels=(), sdist=True))
    assert [chosen.wheel for chosen in selection.chosen] == [None, None]


def test_refuses_package_without_any_file() -> None:
    selection = selected(project("demo", edge("leaf")), package("leaf", wheels=()))
    assert selection.problems[0].hint == "the lock names no file of it: lock the project again"


def with_wheel(file_name: str) -> Selection:
    """Select from a lock in which `leaf` 1.0 has this one wheel."""
    wheels = f"wheels = [{{ url = 'https://files.example/{file_name}' }}]"
    return selected(project("demo", edge("leaf")), package("leaf", wheels=(), more=wheels))


@pytest.mark.parametrize(
    "file_name",
    ["other-1.0-py3-none-any.whl", "leaf-1.1-py3-none-any.whl", "leaf-2!1.0-py3-none-any.whl"],
)
def test_refuses_wheel_of_another_package(file_name: str) -> None:
    assert messages(with_wheel(file_name)) == [f"{file_name} is not a wheel of leaf 1.0"]


@pytest.mark.parametrize("version", ["1.0", "1", "1.0.0", "1.0+cpu"])
def test_takes_wheel_of_the_same_version_in_another_spelling(version: str) -> None:
    assert names(with_wheel(f"leaf-{version}-py3-none-any.whl")) == {"demo", "leaf"}


def test_refuses_file_in_git_repository() -> None:
    wheel = package("leaf", source='git = "https://git.example/all?path=leaf-1.0.whl#0123"')
    assert messages(selected(project("demo", edge("leaf")), wheel)) == [
        "leaf 1.0 is a file in a git repository: https://git.example/all"
    ]


def test_refuses_what_lies_outside_the_project() -> None:
    outside = package("leaf", source='directory = "../leaf"', wheels=())
    selection = selected(project("demo", edge("leaf")), outside)
    assert messages(selection) == ["leaf 1.0 lies outside the project: ../leaf"]


def test_takes_what_lies_outside_the_project_where_that_is_allowed() -> None:
    outside = package("leaf", source='directory = "../leaf"', wheels=())
    lock = (project("demo", edge("leaf")), outside)
    assert names(selected(*lock, allow_outside_paths=True)) == {"demo", "leaf"}


def test_refuses_platform_that_was_not_locked_for() -> None:
    lock = uv_lock(project(), head="supported-markers = [\"sys_platform == 'linux'\"]\n")
    assert not select(read(lock), target()).problems
    [problem] = select(read(lock), WINDOWS).problems
    assert problem.message == (
        "uv.lock was not made for cp312_4-win_amd64, but for: \"sys_platform == 'linux'\""
    )


@pytest.mark.parametrize(("python", "version"), [("3.11.9", "3.11.9"), ("3.11", "3.11")])
def test_refuses_python_that_the_project_does_not_support(python: str, version: str) -> None:
    lock = uv_lock(project(), head='requires-python = ">=3.12"\n')
    [problem] = select(read(lock), target(python=python)).problems
    assert isinstance(problem, UnfitError)
    assert problem.message.startswith("demo requires Python >=3.12, the target cp311")
    assert problem.message.endswith(f" has {version}")


@pytest.mark.parametrize("python", ["3.12", "3.12.4"])
def test_narrows_target_to_patch_releases_that_are_supported(python: str) -> None:
    lock = uv_lock(project(), head='requires-python = ">=3.12.3"\n')
    selection = select(read(lock), target(python=python))
    assert not selection.problems
    assert selection.target.requires_python == "==3.12.*,>=3.12.3"


def test_refuses_stated_patch_release_that_is_not_supported() -> None:
    lock = uv_lock(project(), head='requires-python = ">=3.12.3"\n')
    assert select(read(lock), target(python="3.12.2")).problems


def test_refuses_to_guess_patch_release_that_distribution_ships() -> None:
    late = edge("backport", marker="python_full_version < '3.12.4'")
    [problem] = selected(
        project("demo", late), package("backport"), on=target(python="3.12")
    ).problems
    assert problem.message == (
        "whether cp312-manylinux_2_28_x86_64 needs backport depends on the patch release of "
        "Python 3.12: 3.12.0 to 3.12.3 need backport, 3.12.4 and later need none of it"
    )
    assert problem.hint == (
        "name the one of the air-gapped host: --python 3.12.1 (RHEL 9.4), --python 3.12.3 (Ubuntu "
        f"24.04) or --python 3.12.{newest_patch(12)} (the newest); each can be given, for a bundle "
        "that has both"
    )


@pytest.mark.parametrize(
    ("python", "expected"),
    [("3.11", {"demo", "backport"}), ("3.13", {"demo"}), ("3.12.2", {"demo", "backport"})],
)
def test_decides_patch_release_where_it_is_known(python: str, expected: set[str]) -> None:
    lock = (project("demo", PATCHED), package("backport"))
    assert names(selected(*lock, on=target(python=python))) == expected


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_full_version == '3.12'", "==3.12.*,>=3.12.1"),
        ("python_full_version > '3.12'", "==3.12.*,>=3.12.1"),
        ("python_full_version <= '3.12'", "==3.12.*,>=3.12.1"),
        ("python_full_version <= '3.12.999'", "<3.12.1000,==3.12.*"),
        ("python_full_version == '3.12.2'", "!=3.12.2,==3.12.*"),
        ("python_full_version < '3.12.1' or python_full_version == '3.12.5'", None),
        ("python_full_version in '3.12.0 3.12.2'", "!=3.12.2,==3.12.*,>=3.12.1"),
        ("implementation_version >= '3.12.1'", "==3.12.*,>=3.12.1"),
        ("python_full_version < '3.13'", "==3.12.*"),
    ],
)
def test_narrows_target_to_patch_releases_with_answer_of_the_newest(
    marker: str, expected: str | None
) -> None:
    lock = (project("demo", edge("backport", marker=marker)), package("backport"))
    selection = selected(*lock, on=target(python="3.12"))
    assert not selection.problems
    assert selection.target.requires_python == (expected or "!=3.12.5,==3.12.*,>=3.12.1")


def test_tells_which_patch_releases_are_left_out() -> None:
    lock = (
        project("demo", edge("tomli", marker="python_full_version <= '3.11'")),
        package("tomli"),
    )
    selection = selected(*lock, on=target(python="3.11"))
    assert names(selection) == {"demo"}
    assert selection.target.requires_python == "==3.11.*,>=3.11.1"
    assert selection.target.markers.python_full_version == "3.11.1"
    assert selection.notes == ("for Python 3.11.1 and later: 3.11.0 alone would need tomli",)


def test_knows_patch_releases_that_only_others_ask_for() -> None:
    """What is reached with an old patch release alone divides it further."""
    lock = (
        project("demo", edge("tomli", marker="python_full_version <= '3.11'"), edge("leaf")),
        package("tomli", needs=[edge("tip", marker="implementation_version < '3.11.18'")]),
        package("leaf"),
        package("tip"),
    )
    selection = selected(*lock, on=target(python="3.11"))
    assert selection.notes == ("for Python 3.11.1 and later: 3.11.0 alone would need tip, tomli",)


def test_says_nothing_where_every_patch_release_has_the_same() -> None:
    assert selected(project(), on=target(python="3.12")).notes == ()


def test_asks_nothing_where_every_patch_release_gives_the_same() -> None:
    """A marker may hang on the patch release without the choice doing so."""
    lock = (project("demo", PATCHED, edge("backport")), package("backport"))
    assert names(selected(*lock, on=target(python="3.12"))) == {"demo", "backport"}


def test_asks_nothing_of_patch_releases_that_are_not_supported() -> None:
    lock = uv_lock(
        project("demo", PATCHED), package("backport"), head='requires-python = ">=3.12.3"\n'
    )
    assert names(select(read(lock), target(python="3.12"))) == {"demo"}


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ("3.12.4", "==3.12.*,>=3.12.3"),
        ("3.12.3", "==3.12.*,>=3.12.3"),
        ("3.12.2", "<3.12.3,==3.12.*"),
        ("3.12.99", "==3.12.*,>=3.12.3"),
    ],
)
def test_stated_patch_release_stands_for_all_with_the_same_answer(
    python: str, expected: str
) -> None:
    selection = selected(project("demo", PATCHED), package("backport"), on=target(python=python))
    assert selection.target.requires_python == expected
    assert selection.target.markers.python_full_version == python
    assert selection.notes == ()


def test_stated_patch_release_that_stands_alone() -> None:
    only = edge("backport", marker="python_full_version == '3.12.4'")
    selection = selected(project("demo", only), package("backport"))
    assert selection.target.requires_python == "==3.12.4"


def test_many_patch_releases_that_differ_are_not_listed_one_by_one() -> None:
    far = "python_full_version < '3.12.2' or python_full_version >= '3.12.40'"
    lock = (project("demo", edge("backport", marker=far)), package("backport"))
    assert selected(*lock, on=target(python="3.12.1")).target.requires_python == (
        "<3.12.2,==3.12.*"
    )


def test_leaves_target_as_it_is_where_patch_release_does_not_decide() -> None:
    assert selected(project()).target == target()


def test_refuses_to_guess_kernel_that_decides() -> None:
    [problem] = selected(project("demo", KERNEL), package("driver")).problems
    assert problem.message == (
        "whether cp312_4-manylinux_2_28_x86_64 needs driver 1.0 depends on platform_release"
    )


def test_asks_nothing_of_kernel_that_does_not_decide() -> None:
    lock = (project("demo", KERNEL, edge("driver")), package("driver"))
    assert names(selected(*lock)) == {"demo", "driver"}


def test_refuses_marker_that_is_none() -> None:
    [problem] = selected(project("demo", edge("leaf", marker="linux")), package("leaf")).problems
    assert isinstance(problem, MalformedError)


def test_refuses_group_of_virtual_root_that_names_no_package() -> None:
    head = "[manifest.dependency-groups]\ndev = [{ name = 'gone' }]\n"
    [problem] = select(read(uv_lock(head=head)), target()).problems
    assert problem.message == "uv.lock: no package of the lock is gone"


CONFLICT = (
    'conflicts = [[{ package = "tool", extra = "cpu" }, { package = "tool", extra = "gpu" }]]\n'
)


def test_refuses_conflicting_extras_that_dependencies_ask_for() -> None:
    lock = uv_lock(
        project("demo", edge("one"), edge("two")),
        package("one", needs=[edge("tool", extra=["cpu"])]),
        package("two", needs=[edge("tool", extra=["gpu"])]),
        package("tool", extras={"cpu": [], "gpu": []}),
        head=CONFLICT,
    )
    [problem] = select(read(lock), target()).problems
    assert isinstance(problem, UsageError)
    assert problem.message == (
        "`tool[cpu]` and `tool[gpu]` are incompatible with the declared conflicts: "
        "{`tool[cpu]`, `tool[gpu]`}"
    )


def test_knows_extra_that_is_activated_far_below() -> None:
    lock = uv_lock(
        project("demo", edge("early", marker="extra == 'extra-4-tool-gpu'"), edge("one")),
        package("early"),
        package("one", needs=[edge("tool", extra=["gpu"])]),
        package("tool", extras={"cpu": [], "gpu": []}),
        head=CONFLICT,
    )
    assert names(select(read(lock), target())) == {"demo", "early", "one", "tool"}


def test_decides_edges_of_groups_before_what_later_groups_ask_for() -> None:
    """As uv does, to which groups are a list and not a set."""
    lock = uv_lock(
        project(
            "demo",
            extras={"x": []},
            groups={
                "one": [edge("leaf", marker="extra == 'extra-4-demo-x'")],
                "two": [edge("demo", extra=["x"]), edge("tip", marker="extra == 'extra-4-demo-x'")],
            },
        ),
        package("leaf"),
        package("tip"),
        head='conflicts = [[{ package = "demo", extra = "x" }, { package = "demo", extra = "y" }]]\n',
    )
    assert names(select(read(lock, all_groups=True), target())) == {"demo", "tip"}


PATCH_MARKERS = st.builds(
    "{} {} '3.12{}'".format,
    st.sampled_from(["python_full_version", "implementation_version"]),
    st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
    st.sampled_from(["", ".0", ".1", ".2", ".5", ".16", ".17", ".30"]),
)


@settings(max_examples=50, deadline=None)
@given(markers=st.lists(PATCH_MARKERS, min_size=1, max_size=4))
def test_target_is_for_just_the_patch_releases_with_the_same_answer(markers: list[str]) -> None:
    leaves = [f"leaf{number}" for number in range(len(markers))]
    edges = [edge(leaf, marker=marker) for leaf, marker in zip(leaves, markers, strict=True)]
    lock = (project("demo", *edges), *map(package, leaves))
    answers = {
        patch: names(selected(*lock, on=target(python=f"3.12.{patch}"))) for patch in range(40)
    }
    for asked, patch in (("3.12", newest_patch(12)), ("3.12.3", 3)):
        selection = selected(*lock, on=target(python=asked))
        if selection.problems:
            assert any(answers[kept] != answers[patch] for kept in kept_patches(12))
            continue
        specifier = SpecifierSet(selection.target.requires_python)
        assert {p for p in answers if specifier.contains(f"3.12.{p}")} == {
            p for p in answers if answers[p] == answers[patch]
        }


NAMES = ("alpha", "beta", "gamma", "delta", "omega")
MARKERS = (
    None,
    "sys_platform == 'linux'",
    "sys_platform == 'win32'",
    "python_full_version < '3.12.3'",
    "extra == 'extra-5-alpha-x'",
    "extra != 'extra-5-alpha-x'",
)
TAGS = ("py3-none-any", "py2.py3-none-any", "cp312-cp312-manylinux_2_17_x86_64")


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[list[str], list[str], list[str]]]:
    """Draw the edges, the edges of the extra `x`, and the tags of each package."""

    def edges() -> list[str]:
        chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
        markers = [draw(st.sampled_from(MARKERS)) for _ in chosen]
        extras = [draw(st.booleans()) for _ in chosen]
        return [
            edge(
                name,
                **({"marker": marker} if marker else {}),
                **({"extra": ["x"]} if extra else {}),
            )
            for name, marker, extra in zip(chosen, markers, extras, strict=True)
        ]

    tags = st.lists(st.sampled_from(TAGS), unique=True, min_size=1)
    return {name: (edges(), edges(), draw(tags)) for name in NAMES}


@settings(max_examples=50, deadline=None)
@given(graph=graphs(), data=st.data())
def test_order_of_packages_wheels_and_edges_does_not_matter(
    graph: dict[str, tuple[list[str], list[str], list[str]]], data: st.DataObject
) -> None:
    head = 'conflicts = [[{ package = "alpha", extra = "x" }, { package = "beta", extra = "x" }]]\n'

    def lock(*, shuffle: bool) -> bytes:
        def ordered(items: list[str]) -> list[str]:
            return data.draw(st.permutations(items)) if shuffle else items

        packages = [
            package(
                name, wheels=ordered(tags), needs=ordered(edges), extras={"x": ordered(further)}
            )
            for name, (edges, further, tags) in graph.items()
        ]
        return uv_lock(*ordered([project("demo", edge("alpha")), *packages]), head=head)

    def outcome(selection: Selection) -> object:
        chosen = {
            c.package.name: (c.wheel.file_name if c.wheel else None, c.dependencies)
            for c in selection.chosen
        }
        return chosen, selection.roots, messages(selection)

    assert outcome(select(read(lock(shuffle=False)), target())) == outcome(
        select(read(lock(shuffle=True)), target())
    )
