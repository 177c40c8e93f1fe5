import json
from pathlib import Path

import pytest

from wheelferry_installer.environment.distributions import (
    Distribution,
    digest_of,
    distributions,
    is_editable,
    recorded_files,
)
from wheelferry_schemas.errors import MalformedError

SHA256 = "sha256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"  # of b"hello"


def names(root: Path) -> list[tuple[str, str]]:
    return [(found.name, found.version) for found in distributions(root, ["."])]


def test_names_are_normal_and_sorted(tmp_path: Path) -> None:
    for folder in ("Zope.Interface-5.0.dist-info", "a_b-1.0.post1.dist-info"):
        (tmp_path / folder).mkdir()
    assert names(tmp_path) == [("a-b", "1.0.post1"), ("zope-interface", "5.0")]


def test_old_kinds_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "old-1.0-py3.11.egg-info").write_text("")
    (tmp_path / "linked.egg-link").write_text("")
    assert names(tmp_path) == [("linked", ""), ("old", "1.0")]


def test_what_pip_has_moved_away_is_none(tmp_path: Path) -> None:
    (tmp_path / "~umpy-1.0.dist-info").mkdir()
    (tmp_path / "module.py").write_text("")
    assert names(tmp_path) == []


def test_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert distributions(tmp_path, ["lib/absent"]) == ()


def test_paths_are_relative_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "lib/site-packages/x-1.0.dist-info").mkdir(parents=True)
    (found,) = distributions(tmp_path, ["lib/site-packages"])
    assert found.record == "lib/site-packages/x-1.0.dist-info/RECORD"


@pytest.mark.parametrize("version", ["1.0", "1", "1.0.0", "v1.0"])
def test_versions_are_the_same_however_spelled(version: str) -> None:
    assert Distribution(name="x", version="1.0", metadata="x").is_version(version)


def test_recorded_paths_are_relative_to_the_root(tmp_path: Path) -> None:
    metadata = tmp_path / "lib/site-packages/x-1.0.dist-info"
    metadata.mkdir(parents=True)
    rows = f'x.py,{SHA256},5\n../../bin/x,,\n"a,b.py",,\n../../../out,,\n/abs,,\n'
    (metadata / "RECORD").write_text(rows)
    assert dict(recorded_files(tmp_path, "lib/site-packages/x-1.0.dist-info/RECORD")) == {
        "lib/site-packages/x.py": SHA256,
        "bin/x": "",
        "lib/site-packages/a,b.py": "",
        "../out": "",
        "/abs": "",
    }


@pytest.mark.parametrize("record", [None, b"\xff", b"too,many,columns,here\n"])
def test_record_that_cannot_be_read(tmp_path: Path, record: bytes | None) -> None:
    (tmp_path / "x-1.0.dist-info").mkdir()
    if record is not None:
        (tmp_path / "x-1.0.dist-info/RECORD").write_bytes(record)
    with pytest.raises(MalformedError):
        list(recorded_files(tmp_path, "x-1.0.dist-info/RECORD"))


@pytest.mark.parametrize(
    ("text", "editable"),
    [
        (json.dumps({"url": "file:///x", "dir_info": {"editable": True}}), True),
        (json.dumps({"url": "file:///x", "dir_info": {}}), False),
        (json.dumps({"url": "https://x.example/x.whl", "archive_info": {}}), False),
        ("not JSON", False),
    ],
)
def test_editable_installations_say_so(tmp_path: Path, text: str, editable: bool) -> None:
    (tmp_path / "x-1.0.dist-info").mkdir()
    (tmp_path / "x-1.0.dist-info/direct_url.json").write_text(text)
    (found,) = distributions(tmp_path, ["."])
    assert is_editable(tmp_path, found) is editable


def test_digest_is_of_the_kind_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    assert digest_of(tmp_path / "x", SHA256) == SHA256
    assert digest_of(tmp_path / "x", "md5=x") == "md5=XUFAKrxLKna5cZ2REBfFkg"


def test_file_without_a_digest(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    assert digest_of(tmp_path / "x", "unknown=x") is None
    assert digest_of(tmp_path / "absent", SHA256) is None
