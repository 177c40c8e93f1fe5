from __future__ import annotations

from pathlib import Path

import pytest

from support.making.wheels import make_wheel, zip_bytes
from wheelferry_bundler.fetch.wheel_metadata import read_wheel_metadata
from wheelferry_schemas.errors import MalformedError

NAME = "demo-1.0-py3-none-any.whl"
METADATA = "demo-1.0.dist-info/METADATA"


def license_of(folder: Path, metadata: str) -> str | None:
    path = make_wheel("demo", metadata=metadata).write(folder)
    return read_wheel_metadata(path, path.name).license


def test_takes_license_expression(tmp_path: Path) -> None:
    metadata = "License-Expression: MIT OR Apache-2.0\nLicense: see file\n"
    assert license_of(tmp_path, metadata) == "MIT OR Apache-2.0"


CLASSIFIER = "Classifier: License :: OSI Approved :: BSD License\n"


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        (" BSD-3-Clause ", "BSD-3-Clause"),
        ("Apache-2.0 or BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause"),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0",) * 2,
        ("LicenseRef-Ours", "LicenseRef-Ours"),
    ],
)
def test_takes_spdx_expression_that_the_author_wrote(
    written: str, spelled: str, tmp_path: Path
) -> None:
    assert license_of(tmp_path, f"License: {written}\n{CLASSIFIER}") == spelled


@pytest.mark.parametrize(
    "written",
    [
        "BSD",
        "Apache 2.0",
        "MIT License",
        "MIT AND",
        "(MIT",
        "MIT\n        Permission is granted",
        "UNKNOWN",
    ],
)
def test_classifiers_come_before_what_is_no_expression(written: str, tmp_path: Path) -> None:
    assert license_of(tmp_path, f"License: {written}\n{CLASSIFIER}") == "BSD License"


def test_license_expression_comes_first(tmp_path: Path) -> None:
    metadata = f"License-Expression: ISC\nLicense: MIT\n{CLASSIFIER}"
    assert license_of(tmp_path, metadata) == "ISC"


@pytest.mark.parametrize(
    "written", ["(" * 199, "MIT OR " * 28, "MIT" * 100, "__import__('os')", "%"]
)
def test_no_text_is_too_odd_to_be_asked_about(written: str, tmp_path: Path) -> None:
    assert license_of(tmp_path, f"License: {written}\n") == written[:200].strip()


def test_takes_license_of_the_classifiers(tmp_path: Path) -> None:
    metadata = (
        "License: see file\n"
        "Classifier: License :: OSI Approved :: MIT License\n"
        "Classifier: License :: OSI Approved :: BSD License\n"
        "Classifier: Topic :: Software Development\n"
    )
    assert license_of(tmp_path, metadata) == "BSD License and MIT License"


def test_takes_license_as_the_author_wrote_it(tmp_path: Path) -> None:
    assert license_of(tmp_path, "License: do as you like\n") == "do as you like"


def test_takes_first_line_of_a_whole_license(tmp_path: Path) -> None:
    metadata = "License: \n        The Licence\n        \n        Permission is granted\n"
    assert license_of(tmp_path, metadata) == "The Licence"


@pytest.mark.parametrize("metadata", ["", "License: UNKNOWN\n", "License: \n"])
def test_knows_no_license_where_none_is_stated(tmp_path: Path, metadata: str) -> None:
    assert license_of(tmp_path, metadata) is None


def test_takes_summary(tmp_path: Path) -> None:
    path = make_wheel("demo", metadata="Summary: A demo\n").write(tmp_path)
    assert read_wheel_metadata(path, path.name).summary == "A demo"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a ZIP archive",
        zip_bytes({"demo.py": b""}),
        zip_bytes({METADATA: b"Name: demo\n", "other-1.0.dist-info/METADATA": b"Name: other\n"}),
        zip_bytes({METADATA: b"Name: demo\n"})[:-30],
    ],
    ids=["empty", "text", "no METADATA", "two METADATA", "cut short"],
)
def test_refuses_what_is_no_wheel(tmp_path: Path, data: bytes) -> None:
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(MalformedError, match=f"{NAME} is not a wheel"):
        read_wheel_metadata(tmp_path / NAME, NAME)


def test_refuses_metadata_of_another_checksum(tmp_path: Path) -> None:
    data = zip_bytes({METADATA: b"Name: demo\n"})
    at = data.index(b"PK\x01\x02") + 16
    (tmp_path / NAME).write_bytes(data[:at] + b"\0\0\0\0" + data[at + 4 :])
    with pytest.raises(MalformedError, match="not a wheel"):
        read_wheel_metadata(tmp_path / NAME, NAME)


def test_refuses_damaged_compressed_metadata(tmp_path: Path) -> None:
    data = zip_bytes({METADATA: b"Name: demo\n" * 100})
    at = data.index(METADATA.encode()) + len(METADATA)
    (tmp_path / NAME).write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    with pytest.raises(MalformedError, match="not a wheel"):
        read_wheel_metadata(tmp_path / NAME, NAME)


def test_refuses_metadata_beyond_any_size(tmp_path: Path) -> None:
    path = make_wheel("demo", metadata="Summary: " + "x" * 5 * 2**20).write(tmp_path)
    with pytest.raises(MalformedError, match="METADATA is larger"):
        read_wheel_metadata(path, path.name)
