"""`bundle unpack` and hostile bundles: it refuses what `verify` refuses, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Host
from hostile.test_bundles import REFUSED, VECTORS


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, host: Host, tmp_path: Path) -> None:
    vector = VECTORS[name]
    files = vector.files()
    ran = host.run("unpack", files, tmp_path, *vector.options, "out")
    assert ran.code == vector.code, ran.err
    assert vector.words in ran.err
    host.is_unharmed(ran)
    assert {path.name for path in tmp_path.iterdir()} == set(files)
