import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelferry_schemas import accepted
from wheelferry_schemas.accepted import Accepted, AcceptedBundle
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.fields import format_timestamp

TIMES = st.integers(1_000_000_000, 2_000_000_000)
BUNDLES = st.builds(
    AcceptedBundle,
    name=st.sampled_from(["app", "tools-a", "tools-b"]),
    created=TIMES.map(format_timestamp),
    manifest_sha256=st.sampled_from(["a" * 64, "b" * 64]),
)


def _bundle(name: str = "app", day: int = 1, sha256: str = "a" * 64) -> AcceptedBundle:
    return AcceptedBundle(name=name, created=f"2026-11-{day:02}T07:45:00Z", manifest_sha256=sha256)


@given(st.lists(BUNDLES))
def test_remembers_the_newest_of_each_name(bundles: list[AcceptedBundle]) -> None:
    remembered = Accepted()
    for bundle in bundles:
        remembered = remembered.having(bundle)
    for name in {bundle.name for bundle in bundles}:
        newest = remembered.newest(name)
        assert newest is not None
        assert newest.created == max(b.created for b in bundles if b.name == name)
    assert accepted.parse(accepted.serialize(remembered)) == remembered


def test_newest_counts_where_a_name_is_there_twice() -> None:
    twice = Accepted(bundles=(_bundle(day=1), _bundle(day=3), _bundle(day=2)))
    assert twice.newest("app") == _bundle(day=3)


def test_nothing_changes_for_an_older_bundle_or_one_of_the_same_time() -> None:
    known = Accepted().having(_bundle(day=2))
    assert known.having(_bundle(day=1)) is known
    assert known.having(_bundle(day=2, sha256="b" * 64)) is known
    assert known.newest("other") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 10_000,
        b'{"format": 2, "bundles": []}',
        b'{"format": 1, "bundles": [], "more": 1}',
        b'{"format": 1, "bundles": [{"name": "app"}]}',
        json.dumps(
            {"bundles": [{**_bundle().plain(), "created": "2026-02-30T00:00:00Z"}]}
        ).encode(),
        b'{"bundles": [{"created": 1e999}]}',
    ],
)
def test_refuses_what_it_did_not_write(data: bytes) -> None:
    with pytest.raises(MalformedError, match="what was accepted so far cannot be read"):
        accepted.parse(data)
