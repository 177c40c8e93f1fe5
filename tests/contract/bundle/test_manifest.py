import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.making.bundles import make_manifest
from support.making.manifests import manifests
from support.making.wheels import make_wheel
from wheelferry_bundler.read.targets import PythonVersion, make_target
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.bundle import manifest
from wheelferry_schemas.bundle.manifest import (
    MAX_MANIFEST_SIZE,
    MAX_MANIFEST_VALUES,
    Manifest,
    NewerFormatError,
)
from wheelferry_schemas.errors import MalformedError, WheelferryError
from wheelferry_schemas.models import canonical_json

SCHEMAS = Path(__file__).parents[3] / "schemas"
LINUX, WINDOWS = (
    make_target(parse_platform(platform), PythonVersion(minor=12))
    for platform in ("manylinux_2_28_x86_64", "win_amd64")
)
MANIFEST = make_manifest(
    [make_wheel("numpy", "2.1.0"), make_wheel("pytest", "8.0")],
    (LINUX, WINDOWS),
    {"pylock.toml": b"", "requirements.txt": b"#"},
    roots=["numpy", "pytest"],
)
DATA = manifest.serialize(MANIFEST)
TEXT = DATA.decode()


def _changed(path: str, value: object) -> bytes:
    """Return the canonical bytes of the manifest with the value at a dotted path replaced."""
    data: Any = json.loads(DATA)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = data
    for part in parents:
        place = place[part]
    place[last] = value
    return canonical_json(data)


def _refusal(data: bytes) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        manifest.parse(data)
    assert "manifest.json" in caught.value.message
    return caught.value


@settings(max_examples=40)
@given(manifests())
def test_reads_what_it_writes(drawn: Manifest) -> None:
    data = manifest.serialize(drawn)
    assert manifest.parse(data) == drawn
    assert manifest.serialize(manifest.parse(data)) == data


@settings(max_examples=60)
@given(drawn=manifests(), data=st.data())
def test_no_other_bytes_read_as_the_same_manifest(drawn: Manifest, data: st.DataObject) -> None:
    original = manifest.serialize(drawn)
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, min(start + 3, len(original))))
    changed = original[:start] + data.draw(st.binary(max_size=3)) + original[end:]
    try:
        read = manifest.parse(changed)
    except WheelferryError:
        return
    assert (read == drawn) is (changed == original)


@given(st.binary(max_size=100))
def test_refuses_noise(data: bytes) -> None:
    _refusal(data)


def test_is_canonical_json() -> None:
    assert TEXT.startswith('{\n  "created": "2023-11-14T22:13:20Z",\n  "documents": [\n    {\n')
    assert TEXT.endswith('\n  "version": "1.0"\n}\n')


@pytest.mark.parametrize("data", [b"{}", TEXT.rstrip("\n").encode()])
def test_says_whom_to_ask_for_another(data: bytes) -> None:
    assert "get it again from its sender" in str(_refusal(data).hint)


@pytest.mark.parametrize("version", [2, 3, 10**30])
def test_newer_format_says_upgrade_before_anything_else(version: int) -> None:
    with pytest.raises(NewerFormatError) as caught:
        manifest.parse(json.dumps({"format": version, "unheard of": [1.5]}).encode())
    assert caught.value.exit_code == 4
    assert f"format {version}, this wheelferry reads up to 1" in caught.value.message
    assert caught.value.hint == "upgrade wheelferry on this host"


@pytest.mark.parametrize("value", [0, -1, True, 1.0, 2.5, "1", "2", None, [], {}])
def test_refuses_format_that_is_not_a_version(value: object) -> None:
    _refusal(_changed("format", value))


@pytest.mark.parametrize(
    "path", ["unknown", "made_from.unknown", "packages.0.unknown", "packages.0.source.unknown"]
)
def test_refuses_unknown_field_and_says_where(path: str) -> None:
    error = _refusal(_changed(path, 1))
    where, _, field = path.rpartition(".")
    place = where.replace(".0", "[0]") or "as a whole"
    assert error.details == (f"{place}: Object contains unknown field `{field}`",)


@pytest.mark.parametrize("field", sorted(json.loads(DATA)))
def test_refuses_missing_field_and_says_which(field: str) -> None:
    data = json.loads(DATA)
    del data[field]
    problem = f"as a whole: Object missing required field `{field}`"
    assert _refusal(canonical_json(data)).details == (problem,)


NOT_JSON = {
    "nothing": b"",
    "half of it": DATA[: len(DATA) // 2],
    "byte order mark": b"\xef\xbb\xbf" + DATA,
    "UTF-16": TEXT.encode("utf-16"),
    "not UTF-8": DATA.replace(b"wheelferry tests", b"wheelferry \xff"),
    "half a character": DATA.replace(b"wheelferry tests", b"\\ud800"),
    "NaN": TEXT.replace('"format": 1', '"format": NaN').encode(),
    "infinity": TEXT.replace('"format": 1', '"format": Infinity').encode(),
    "comment": b"// made by hand\n" + DATA,
    "trailing comma": DATA.replace(b'"1.0"\n}', b'"1.0",\n}'),
    "two documents": DATA + DATA,
    "NUL after it": DATA + b"\0",
    "integer of 5,000 digits": TEXT.replace('"size": 1', '"size": ' + "1" * 5000).encode(),
    "version of 5,000 digits": b'{"format": ' + b"9" * 5000 + b"}",
    "depth": b"[" * 100_000,
    "closed depth": b"[" * 100_000 + b"]" * 100_000,
    "depth in a field": b'{"format": 1, "tool": ' + b'{"a":' * 100_000,
}


@pytest.mark.parametrize("what", NOT_JSON)
def test_refuses_what_is_not_json(what: str) -> None:
    assert NOT_JSON[what] != DATA
    _refusal(NOT_JSON[what])


@pytest.mark.parametrize("data", [b"[]", b"1", b'"text"', b"null", b"true", b"{}"])
def test_refuses_json_that_is_no_manifest(data: bytes) -> None:
    assert "not valid" in _refusal(data).message


OTHER_SPELLINGS = {
    "duplicate key": TEXT.replace("{\n", '{\n  "format": 1,\n', 1),
    "duplicate key, other value": TEXT.replace("{\n", '{\n  "name": "evil",\n', 1),
    "space": TEXT.replace("{\n", "{ \n", 1),
    "no final newline": TEXT.rstrip("\n"),
    "two final newlines": TEXT + "\n",
    "other line ends": TEXT.replace("\n", "\r\n"),
    "compact": json.dumps(json.loads(TEXT), separators=(",", ":"), sort_keys=True),
    "unsorted keys": json.dumps(dict(reversed(json.loads(TEXT).items())), indent=2) + "\n",
    "escaped letter": TEXT.replace("wheelferry tests", "wheelferry test\\u0073"),
    "escaped slash": TEXT.replace("https://index", "https:\\/\\/index"),
    "exponent": TEXT.replace('"format": 1', '"format": 1e0'),
    "fraction": TEXT.replace('"format": 1', '"format": 1.0'),
    "minus zero": TEXT.replace('"size": 0', '"size": -0'),
}


@pytest.mark.parametrize("what", OTHER_SPELLINGS)
def test_refuses_other_ways_to_write_the_same(what: str) -> None:
    assert OTHER_SPELLINGS[what] != TEXT
    _refusal(OTHER_SPELLINGS[what].encode())


def test_refuses_manifest_above_the_limit_before_reading_it() -> None:
    error = _refusal(b" " * (MAX_MANIFEST_SIZE + 1))
    assert f"larger than {MAX_MANIFEST_SIZE} bytes" in error.message


@pytest.mark.parametrize("piece", [b"1,", b"[", b"{"])
def test_refuses_more_values_than_any_manifest_has(piece: bytes) -> None:
    error = _refusal(b"[" + piece * MAX_MANIFEST_VALUES)
    assert f"holds more than {MAX_MANIFEST_VALUES} values" in error.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Demo"),
        ("name", "demo_x"),
        ("name", "demo\n"),
        ("name", "-demo"),
        ("version", "one"),
        ("version", ""),
        ("version", 1),
        ("created", "2026-02-30T00:00:00Z"),
        ("created", "2026-11-22T07:45:00"),
        ("created", "2026-11-22T07:45:00+00:00"),
        ("created", "2026-11-22 07:45:00Z"),
        ("created", "0000-11-22T07:45:00Z"),
        ("created", "2026-11-22T24:00:00Z"),
        ("created", None),
        ("expires", "tomorrow"),
        ("tool", ""),
        ("tool", "x" * 2001),
        ("made_from.kind", "poetry.lock"),
        ("made_from.sha256", "0" * 63),
        ("made_from.sha256", "A" * 64),
        ("made_from.sha256", "0" * 64 + "\n"),
        ("made_from.options", "--all"),
        ("targets", []),
        ("roots", ["Numpy"]),
        ("packages.0.size", -1),
        ("packages.0.size", 8 * 2**30),
        ("packages.0.size", 10**40),
        ("packages.0.size", 1.5),
        ("packages.0.size", "1"),
        ("packages.0.targets", []),
        ("packages.0.dependencies", ["../x"]),
        ("packages.0.source.kind", "ftp"),
        ("packages.0.source.commit", "abc"),
        ("packages.0.source.built", 0),
        ("documents.0.size", True),
        ("documents.0.name", "README.md"),
        ("documents.0.name", "../pylock.toml"),
        ("documents.0.name", "pylock..toml"),
        ("documents.0.name", "pylock.a/b.toml"),
        ("documents.0.name", "manifest.json"),
        ("documents.0.name", "pylock.toml\n"),
    ],
)
def test_refuses_wrong_value_and_says_where(path: str, value: object) -> None:
    error = _refusal(_changed(path, value))
    (said,) = error.details
    assert path.replace(".0", "[0]") in said or repr(value) in said or repr([value]) in said


@pytest.mark.parametrize(
    ("wheel", "problem"),
    [
        ("numpy-2.1.0.tar.gz", "not a wheel file name"),
        ("numpy-2.1.0-py3-none-any.whl.exe", "not a wheel file name"),
        ("numpy-2.1.0-py3-any.whl", "not a wheel file name"),
        ("../numpy-2.1.0-py3-none-any.whl", "not a wheel file name"),
        ("numpy-2.1.0-py3-none-any.whl\n", "not a wheel file name"),
        ("numpy-2.1.0-py3-none-\x1b[31m.whl", "not a wheel file name"),
        ("numpy-" + "2" * 250 + "-py3-none-any.whl", "of length <= 255"),
        ("scipy-2.1.0-py3-none-any.whl", "is not one of 'numpy'"),
        ("numpy-2.1.1-py3-none-any.whl", "is not of version '2.1.0'"),
    ],
)
def test_refuses_wheel_that_is_not_that_of_its_package(wheel: str, problem: str) -> None:
    assert problem in _refusal(_changed("packages.0.wheel", wheel)).details[0]


@pytest.mark.parametrize("version", ["2.1", "2.1.0", "2.1.0.0"])
def test_accepts_other_spellings_of_the_wheels_version(version: str) -> None:
    assert manifest.parse(_changed("packages.0.version", version)).packages[0].version == version


def _package(index: int, **changes: object) -> dict[str, object]:
    return {**json.loads(DATA)["packages"][index], **changes}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("targets", list(reversed(json.loads(DATA)["targets"])), "targets are not sorted"),
        ("targets", [json.loads(DATA)["targets"][0]] * 2, "twice"),
        ("packages", [_package(1), _package(0)], "wheels are not sorted"),
        ("packages", [_package(0), _package(0)], "wheel 'numpy-2.1.0-py3-none-any.whl' twice"),
        ("documents", list(reversed(json.loads(DATA)["documents"])), "documents are not sorted"),
        ("documents", [json.loads(DATA)["documents"][0]] * 2, "document 'pylock.toml' twice"),
        ("roots", ["pytest", "numpy"], "roots are not sorted"),
        ("roots", ["numpy", "numpy"], "root 'numpy' twice"),
        ("packages.0.targets", ["other"], "is for an unknown target 'other'"),
        ("packages.0.targets", [LINUX.id, LINUX.id], "two packages 'numpy' for target"),
        (
            "packages",
            [
                _package(0),
                _package(0, version="2.2", wheel="numpy-2.2-py3-none-any.whl"),
            ],
            "two packages 'numpy' for target",
        ),
    ],
)
def test_refuses_incoherent_lists(path: str, value: object, problem: str) -> None:
    assert problem in _refusal(_changed(path, value)).details[0]


def test_one_name_may_have_a_version_for_each_target() -> None:
    both = [
        _package(0, targets=[LINUX.id]),
        _package(0, targets=[WINDOWS.id], version="2.2", wheel="numpy-2.2-py3-none-any.whl"),
    ]
    read = manifest.parse(_changed("packages", both))
    assert [package.version for package in read.packages_for(LINUX.id)] == ["2.1.0"]
    assert [package.version for package in read.packages_for(WINDOWS.id)] == ["2.2"]


def test_writes_nothing_that_would_not_be_read() -> None:
    with pytest.raises(MalformedError, match="is not valid"):
        manifest.serialize(MANIFEST.replaced(name="Demo"))


@pytest.mark.parametrize(
    ("field", "value"), [("created", "2026-02-30T00:00:00Z"), ("version", "one")]
)
def test_is_not_made_with_what_is_no_version_or_time(field: str, value: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        MANIFEST.replaced(**{field: value})


def test_finds_target_by_its_id() -> None:
    assert MANIFEST.target(WINDOWS.id) == WINDOWS


def test_tells_when_it_was_created() -> None:
    assert MANIFEST.created_at == 1_700_000_000


# Interpreters that come along.


def _python(name: str, *targets: str) -> dict[str, object]:
    return {"name": f"{name}.tar.gz", "sha256": "0" * 64, "size": 1, "targets": targets}


def _with_pythons(*pythons: dict[str, object]) -> bytes:
    return canonical_json({**json.loads(DATA), "pythons": pythons})


def test_finds_python_of_a_target() -> None:
    both = _with_pythons(_python("linux", LINUX.id), _python("windows", WINDOWS.id))
    read = manifest.parse(both)
    assert manifest.serialize(read) == both
    found = [read.python_for(target) for target in (WINDOWS.id, LINUX.id, "other")]
    assert [python and python.name for python in found] == ["windows.tar.gz", "linux.tar.gz", None]


def test_one_python_may_serve_several_targets() -> None:
    read = manifest.parse(_with_pythons(_python("one", *sorted((LINUX.id, WINDOWS.id)))))
    assert read.python_for(LINUX.id) == read.python_for(WINDOWS.id) == read.pythons[0]


@pytest.mark.parametrize(
    ("pythons", "problem"),
    [
        ([_python("a", "other")], "a Python for an unknown target 'other'"),
        ([_python("a", LINUX.id, LINUX.id)], f"two Pythons for target {LINUX.id!r}"),
        (
            [_python("a", LINUX.id), _python("b", LINUX.id)],
            f"two Pythons for target {LINUX.id!r}",
        ),
        ([_python("b", LINUX.id), _python("a", WINDOWS.id)], "Python archives are not sorted"),
        (
            [_python("a", LINUX.id), _python("a", WINDOWS.id)],
            "Python archive 'a.tar.gz' twice",
        ),
    ],
)
def test_refuses_incoherent_pythons(pythons: list[dict[str, object]], problem: str) -> None:
    assert problem in _refusal(_with_pythons(*pythons)).details[0]


def test_refuses_to_say_that_there_are_no_pythons() -> None:
    assert "canonical" in _refusal(_with_pythons()).message


# Wheels and the targets that they are for.


def _for_linux(wheel: str, *targets: str) -> bytes:
    return _changed("packages", [_package(0, wheel=wheel, targets=targets)])


def test_takes_wheel_that_fits_its_target() -> None:
    wheel = "numpy-2.1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert manifest.parse(_for_linux(wheel, LINUX.id)).packages_for(WINDOWS.id) == ()


def test_refuses_wheels_that_do_not_fit_their_targets() -> None:
    linux, windows = (
        f"numpy-2.1.0-cp312-cp312-{platform}.whl" for platform in ("linux_x86_64", "win_amd64")
    )
    packages = [
        _package(0, wheel=linux, targets=[WINDOWS.id]),
        _package(0, wheel=windows, targets=[LINUX.id]),
    ]
    said = _refusal(_changed("packages", packages)).details[0]
    assert f"wheel {linux!r} does not fit {WINDOWS.id!r}" in said
    assert f"wheel {windows!r} does not fit {LINUX.id!r}" in said


def test_wheel_that_fits_everywhere_hides_no_other() -> None:
    data = json.loads(DATA)
    data["packages"][1]["wheel"] = "pytest-8.0-cp312-cp312-win_amd64.whl"
    assert f"does not fit {LINUX.id!r}" in _refusal(canonical_json(data)).details[0]


def test_names_each_target_that_a_wheel_does_not_fit() -> None:
    wheel = "numpy-2.1.0-cp311-cp311-win_amd64.whl"
    said = _refusal(_for_linux(wheel, *sorted((LINUX.id, WINDOWS.id)))).details[0]
    assert [f"does not fit {target.id!r}" in said for target in (LINUX, WINDOWS)] == [True, True]


def test_names_every_incoherence_at_once() -> None:
    data = json.loads(DATA)
    data["roots"] = ["numpy", "numpy"]
    data["packages"][0]["targets"] = ["other"]
    said = _refusal(canonical_json(data)).details[0]
    assert "as a whole: root 'numpy' twice; " in said
    assert "is for an unknown target 'other'" in said


# Limits, each met and passed by one.


def test_says_where_a_value_is_wrong_but_not_what_it_is() -> None:
    assert _refusal(_changed("packages.0.size", "evil")).details == (
        "packages[0].size: Expected `int`, got `str`",
    )


def test_manifest_as_large_as_the_limit_is_read() -> None:
    assert "not in canonical form" in _refusal(DATA.ljust(MAX_MANIFEST_SIZE)).message


def test_as_many_values_as_the_limit_are_read() -> None:
    data = b"[" + b"1," * (MAX_MANIFEST_VALUES - 1) + b"1]"
    assert "holds more than" not in _refusal(data).message


def test_committed_json_schema_is_that_of_the_models() -> None:
    script = runpy.run_path(str(SCHEMAS / "generate_schema.py"))
    committed = (SCHEMAS / "manifest-v1.schema.json").read_text(encoding="utf-8")
    assert script["schema_text"]() == committed


def test_json_schema_requires_every_field_and_allows_no_other() -> None:
    schema = json.loads((SCHEMAS / "manifest-v1.schema.json").read_text(encoding="utf-8"))
    for model in schema["$defs"].values():
        assert model["additionalProperties"] is False
        # What old manifests do not have is left out where it is empty.
        assert {*model["required"], "pythons"} == {*model["properties"], "pythons"}
