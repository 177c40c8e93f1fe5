from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.making.locks import target
from wheelferry_bundler.select.closure import (
    Closure,
    Demand,
    IncompleteError,
    Need,
    Stated,
    close,
    parse_metadata,
    tops,
)

LINUX, WINDOWS = target().markers.plain(), target("win_amd64").markers.plain()


def metadata(name: str, *requires: str, more: str = "") -> bytes:
    lines = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{lines}{more}\n".encode()


def stated(name: str, *requires: str) -> Stated:
    found = parse_metadata(metadata(name, *requires))
    assert found is not None
    return found


def closure(
    graph: Mapping[str, tuple[str, ...]],
    environment: Mapping[str, str] = LINUX,
    versions: Mapping[str, str | None] | None = None,
    **demand: object,
) -> Closure:
    """Close packages of version 1.0, each with what it requires."""
    return close(
        {**dict.fromkeys(graph, "1.0"), **(versions or {})},
        {name: stated(name, *requires) for name, requires in graph.items()},
        Demand(**demand),  # type: ignore[arg-type]
        environment,
    )


def missing(found: Closure) -> list[str]:
    return [f"{need.requirement} by {need.by}" for need in found.missing]


def test_nothing_is_missing_where_all_that_is_required_is_there() -> None:
    found = closure({"a": ("B_b>=0.5",), "b-b": ("a",)})
    assert (found.missing, found.other_version) == ((), ())
    assert found.needed == {"a": {"b-b"}, "b-b": {"a"}}


def test_names_what_is_missing_with_who_requires_it() -> None:
    found = closure({"a": ("Color.ama[fast] >=0.4",), "b": ("color-ama",)})
    assert missing(found) == ["color-ama[fast] >=0.4 by a 1.0", "color-ama by b 1.0"]


@pytest.mark.parametrize(
    ("environment", "expected"), [(LINUX, []), (WINDOWS, ["colorama by a 1.0"])]
)
def test_decides_markers_for_the_target(
    environment: Mapping[str, str], expected: list[str]
) -> None:
    found = closure({"a": ('colorama; sys_platform == "win32"',)}, environment)
    assert missing(found) == expected


def test_requires_nothing_for_extras_that_nobody_asks_for() -> None:
    assert missing(closure({"a": ('b; extra == "more"',)})) == []


@pytest.mark.parametrize("extra", ["More_Extra", "more-extra"])
def test_follows_extras_that_the_source_asks_for(extra: str) -> None:
    graph = {"a": ('b; extra == "more.extra"',)}
    assert missing(closure(graph, extras={"a": frozenset({extra})})) == ["b by a 1.0"]


def test_follows_extras_that_packages_ask_for() -> None:
    graph = {"a": ("b[more]",), "b": ('b[most]; extra == "more"', 'c; extra == "most"')}
    found = closure(graph)
    assert missing(found) == ["c by b 1.0"]
    assert found.needed["b"] == frozenset()


def test_extra_that_the_package_does_not_have_is_nothing() -> None:
    assert missing(closure({"a": ("b[none]",), "b": ()})) == []


def test_what_is_left_out_on_purpose_is_not_missing() -> None:
    assert missing(closure({"a": ("b", "c")}, left_out=frozenset({"b"}))) == ["c by a 1.0"]


def test_package_of_which_nothing_is_known_requires_nothing() -> None:
    found = closure({"a": ("b>=3",)}, versions={"b": None})
    assert (found.missing, found.other_version) == ((), ())


@pytest.mark.parametrize(
    ("version", "requirement", "fits"),
    [
        ("1.0", "b<2", True),
        ("2.0", "b<2", False),
        ("1.0rc1", "b>=0.9", True),
        ("1.0+cpu", "b==1.0", True),
        ("2.0", "b @ https://index.example/b-1.0-py3-none-any.whl", True),
        ("no version", "b<2", True),
    ],
)
def test_tells_version_that_is_not_the_required_one(
    version: str, requirement: str, fits: bool
) -> None:
    found = closure({"a": (requirement,)}, versions={"b": version})
    assert found.missing == ()
    assert found.other_version == (() if fits else (Need("b", "b <2", "a 1.0"),))


def test_requires_by_url_what_has_that_name() -> None:
    graph = {"a": ("b @ https://index.example/b-1.0-py3-none-any.whl",)}
    assert missing(closure(graph)) == ["b by a 1.0"]


@pytest.mark.parametrize(
    "text", ["b (>=1,<2", "b>=1.x", "b; os_name = 'nt'", "1 2 3", "b; " + "(" * 5_000]
)
def test_passes_over_requirement_that_cannot_be_read(text: str) -> None:
    found = stated("a", text, "c")
    assert [str(requirement) for requirement in found.requires] == ["c"]
    assert found.unreadable == (text,)


def test_passes_over_marker_that_cannot_be_decided() -> None:
    assert missing(closure({"a": ("b; os_name ~= 'x'",)})) == []


@pytest.mark.parametrize(
    "text",
    [b"", b"<!DOCTYPE html>", b"Name: a\n", b"\xff\xfe", b"Version: 1.0\n\nName: a\n"],
)
def test_what_states_no_name_and_version_is_no_metadata(text: bytes) -> None:
    assert parse_metadata(text) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Requires-Python: >=3.8, <4\n", ">=3.8"),
        ("Requires-Python: <3.13\n", None),
        ("Requires-Python: 3.x\n", None),
        ("", None),
    ],
)
def test_reads_oldest_python_alone(line: str, expected: str | None) -> None:
    found = parse_metadata(metadata("a", more=line))
    assert found is not None
    assert (None if found.requires_python is None else str(found.requires_python)) == expected


def test_error_names_all_that_is_missing_once() -> None:
    one, other = Need("c", "c >=1", "a 1.0"), Need("c", "c >=2", "b 1.0")
    error = IncompleteError(
        "pylock.toml",
        {"linux": [one, other], "mac": [one, other], "win": [other, Need("d", "d", "a")]},
    )
    assert error.exit_code == 5
    assert error.message == "pylock.toml is not complete"
    assert error.details == (
        "c >=1, >=2: needed by a 1.0, b 1.0 on linux, mac",
        "c >=2: needed by b 1.0 on win",
        "d: needed by a on win",
    )
    assert "--no-install-package c" in str(error.hint)


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        ({}, ()),
        ({"a": {"b"}, "b": {"c"}, "c": set()}, ("a",)),
        ({"a": set(), "b": set()}, ("a", "b")),
        ({"b": {"c"}, "c": {"b"}, "a": set()}, ("a", "b")),
        ({"z": {"b"}, "b": {"c"}, "c": {"b"}}, ("z",)),
    ],
)
def test_tops_are_what_nothing_else_needs(
    needed: Mapping[str, set[str]], expected: tuple[str, ...]
) -> None:
    assert tops(needed) == expected


NAMES = st.sampled_from([f"p{number}" for number in range(8)])
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=4).map(tuple), min_size=1)


@given(GRAPHS)
def test_exactly_what_is_required_and_not_there_is_missing(
    graph: Mapping[str, tuple[str, ...]],
) -> None:
    found = closure(graph)
    required = {name for requires in graph.values() for name in requires}
    assert {need.name for need in found.missing} == required - graph.keys()
    whole = closure({**dict.fromkeys(required, ()), **graph})
    assert whole.missing == ()
    reachable = set(tops(whole.needed))
    for _ in whole.needed:
        reachable |= {other for name in reachable for other in whole.needed[name]}
    assert reachable == whole.needed.keys()
