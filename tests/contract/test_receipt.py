import json

import pytest

from wheelferry_schemas import receipt
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.models import InvalidModelError
from wheelferry_schemas.receipt import InstalledFile, InstalledPackage, Receipt

RECEIPT = Receipt(
    format=1,
    generation="0123456789abcdef",
    tool="wheelferry 0.1.0",
    installed="2026-11-22T07:45:00Z",
    bundle="bundle.tar.zst",
    bundle_name="demo",
    bundle_created="2026-11-21T07:45:00Z",
    manifest_sha256="0" * 64,
    target="linux-312",
    interpreter="/usr/bin/python3.12",
    python="3.12.4",
    compiled=False,
    signers=("alice SHA256:abc",),
    packages=(
        InstalledPackage(
            name="numpy",
            version="2.1.0",
            wheel="numpy-2.1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
            record="lib/python3.12/site-packages/numpy-2.1.0.dist-info/RECORD",
            record_sha256="1" * 64,
        ),
    ),
    files=(InstalledFile(path="pyvenv.cfg", sha256="2" * 64),),
)


def test_reads_what_it_writes() -> None:
    assert receipt.parse(receipt.serialize(RECEIPT)) == RECEIPT


def test_is_readable_json() -> None:
    text = receipt.serialize(RECEIPT).decode()
    assert json.loads(text)["packages"][0]["name"] == "numpy"
    assert text.startswith('{\n  "bundle": "bundle.tar.zst",\n')


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": "1"},
        {"compiled": "yes"},
        {"manifest_sha256": "0"},
        {"installed": "2026-13-22T07:45:00Z"},
        {"packages": ["numpy"]},
        {"files": [{"path": "", "sha256": "2" * 64}]},
        {"unknown": 1},
    ],
)
def test_refuses_wrong_fields(change: dict[str, object]) -> None:
    data = json.dumps({**RECEIPT.plain(), **change}).encode()
    with pytest.raises(MalformedError, match="receipt"):
        receipt.parse(data)


@pytest.mark.parametrize(
    "change", [{"interpreter": "/" * 2001}, {"target": "../x"}, {"manifest_sha256": "0"}]
)
def test_writes_nothing_that_would_not_be_read(change: dict[str, str]) -> None:
    with pytest.raises(InvalidModelError, match=next(iter(change))):
        receipt.serialize(RECEIPT.replaced(**change))


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff", b"[" * 10_000])
def test_refuses_what_is_no_receipt(data: bytes) -> None:
    with pytest.raises(MalformedError, match="receipt"):
        receipt.parse(data)
