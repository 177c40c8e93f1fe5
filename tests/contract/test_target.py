import json
from typing import Any

import pytest
from packaging.markers import Marker, default_environment
from packaging.tags import Tag

from wheelferry_bundler.read.targets import PythonVersion, make_target
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.models import InvalidModelError, canonical_json, read
from wheelferry_schemas.target import Target, parse_target, tags_for

TARGET = make_target(parse_platform("manylinux_2_28_x86_64"), PythonVersion(minor=12))


def _changed(changes: dict[str, Any], markers: dict[str, Any] | None = None) -> Target:
    data = TARGET.plain()
    data["markers"] |= markers or {}
    return read(json.dumps(data | changes).encode(), Target)


def test_reads_what_it_writes() -> None:
    assert parse_target(canonical_json(TARGET.plain())) == TARGET


def test_tags_come_best_first() -> None:
    tags = [str(tag) for tag in TARGET.tags()]
    ranked = [
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-abi3-manylinux_2_28_x86_64",
        "cp39-abi3-manylinux_2_28_x86_64",
        "py312-none-any",
        "py3-none-any",
        "py30-none-any",
    ]
    assert sorted(ranked, key=tags.index) == ranked


@pytest.mark.parametrize(
    "tag",
    [
        "cp312-cp312-manylinux_2_29_x86_64",
        "cp312-cp312-manylinux_2_28_aarch64",
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp313-abi3-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_28_x86_64",
        "py2-none-any",
    ],
)
def test_tags_of_other_hosts_are_not_among_them(tag: str) -> None:
    assert Tag(*tag.split("-")) not in set(TARGET.tags())


def test_tags_do_not_depend_on_this_host() -> None:
    tags = {str(tag) for tag in tags_for((3, 15), ["cp315"], ["win_amd64"])}
    assert "cp315-cp315-win_amd64" in tags
    assert {tag.rpartition("-")[2] for tag in tags} == {"win_amd64", "any"}


def test_version_is_that_of_the_interpreter() -> None:
    assert TARGET.python == (3, 12)


def test_environment_answers_every_marker_variable() -> None:
    environment = TARGET.markers.plain()
    assert set(environment) == set(default_environment())
    assert Marker("sys_platform == 'linux' and python_version == '3.12'").evaluate(
        {name: str(value) for name, value in environment.items()}
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "Upper"}, "id"),
        ({"id": "-x"}, "id"),
        ({"id": "../x"}, "id"),
        ({"id": "x\n"}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"implementation": "pypy"}, "implementation"),
        ({"requires_python": "3.12"}, "requires_python"),
        ({"requires_python": "==3.12.*\n; x"}, "requires_python"),
        ({"abis": []}, "abis"),
        ({"abis": ["cp312-"]}, "abis"),
        ({"platforms": []}, "platforms"),
        ({"platforms": ["linux x86"]}, "platforms"),
        ({"platforms": ["linux_x86_64"] * 401}, "platforms"),
        ({"assumed": ["extra"]}, "assumed"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_refuses_wrong_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidModelError) as caught:
        _changed(changes)
    said = str(caught.value)
    assert field in said or repr(changes[field]) in said


@pytest.mark.parametrize("version", ["3", "3.12.4", "three.twelve", "3.x", "", "3.12\n", "٣.١٢"])
def test_refuses_version_that_is_not_major_and_minor(version: str) -> None:
    with pytest.raises(InvalidModelError, match="python_version"):
        _changed({}, {"python_version": version})


def test_refuses_unknown_marker_variable() -> None:
    with pytest.raises(InvalidModelError, match="extra"):
        _changed({}, {"extra": "dev"})


def test_refuses_missing_marker_variable() -> None:
    data = TARGET.plain()
    del data["markers"]["platform_release"]
    with pytest.raises(InvalidModelError, match="platform_release"):
        read(json.dumps(data).encode(), Target)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "as a whole: Expected `object`, got `array`"),
        (b'{"id": "x"}', "as a whole: Object missing required field `implementation`"),
        (canonical_json(TARGET.replaced(id="CP312").plain()), "id: Expected `str` matching regex"),
        (b"[" * 100_000, "as a whole: Expected `object`"),
        (b'{"id": ' + b"[" * 100_000, "id: Expected `str`"),
    ],
    ids=["nothing", "list", "fields missing", "wrong id", "depth", "depth in a field"],
)
def test_refuses_what_does_not_describe_a_host(data: bytes, detail: str) -> None:
    with pytest.raises(MalformedError, match="not a description of a target") as caught:
        parse_target(data)
    assert caught.value.details[0].startswith(detail)
    assert caught.value.hint == "write it on the air-gapped host: bundle target > target.json"


def test_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        TARGET.id = "other"  # type: ignore[misc]
