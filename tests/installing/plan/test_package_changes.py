"""What changes from one state of packages to the next, as lines, as a tally, as JSON."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from wheelferry_installer.plan.package_changes import (
    PackageChanges,
    PackageVersion,
    State,
    described,
    differing,
    state_of,
)

VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "1.1"]))


def state(**versions: str) -> State:
    packages = tuple(PackageVersion(name, version) for name, version in versions.items())
    return State(generation=None, manifest_sha256=None, packages=packages)


def compared(before: State, after: State) -> tuple[list[str], str]:
    changes = PackageChanges(before=before, after=after)
    return [change.line for change in changes.changes], changes.tally


def test_lines_are_sorted_by_name() -> None:
    before, after = state(z="1.0", a="1.0", m="1.0"), state(m="1.1", b="2.0", z="1.0")
    assert compared(before, after) == (
        ["- a 1.0", "+ b 2.0", "~ m 1.0 -> 1.1"],
        "1 added, 1 changed, 1 removed, 1 unchanged",
    )


def test_nothing_changes() -> None:
    assert compared(state(a="1.0"), state(a="1.0")) == ([], "1 unchanged")
    assert compared(state(), state()) == ([], "no packages")


def test_other_wheel_of_the_same_version_is_a_change() -> None:
    one, other = (
        State(generation=None, manifest_sha256=None, packages=(PackageVersion("a", "1.0", sha),))
        for sha in ("1", "2")
    )
    assert compared(one, other) == (["~ a 1.0 (same version)"], "1 changed")


def test_without_a_receipt_nothing_is_there() -> None:
    assert state_of(None) == state()


def test_bundles_are_compared_likewise() -> None:
    assert list(differing({"a": 1, "b": 1}, {"b": 2, "c": 1})) == [
        ("a", 1, None),
        ("b", 1, 2),
        ("c", None, 1),
    ]
    assert described("x: y", "1", "1", same="other file") == "~ x: y 1 (other file)"


@given(VERSIONS, VERSIONS)
def test_changes_lead_from_one_state_to_the_other(
    before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    packages = dict(before)
    changes = PackageChanges(before=state(**before), after=state(**after))
    for name, old, new in changes.changes:
        assert packages.pop(name, None) == old
        if new is not None:
            packages[name] = new
    assert packages == after


@given(VERSIONS, VERSIONS)
def test_tally_counts_all_packages(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    changes = PackageChanges(before=state(**before), after=state(**after))
    counts = [int(part.split()[0]) for part in changes.tally.split(", ") if part != "no packages"]
    assert sum(counts) == len(before.keys() | after.keys())


@given(VERSIONS, VERSIONS)
def test_the_way_back_is_the_reverse(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    there = PackageChanges(before=state(**before), after=state(**after)).changes
    back = PackageChanges(before=state(**after), after=state(**before)).changes
    assert [(name, new, old) for name, old, new in there] == list(back)
