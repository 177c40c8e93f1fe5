"""Hostile archives of Python that somebody signed: refused before anything of them is unpacked."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Host
from vectors.python_tars import python_vectors

VECTORS = {vector.name: vector for vector in python_vectors()}


@pytest.mark.parametrize("name", VECTORS)
def test_install_refuses(name: str, host: Host, tmp_path: Path) -> None:
    vector = VECTORS[name]
    ran = host.run("install", vector.files(), tmp_path, *vector.options)
    host.refuses(ran, vector.code, vector.words)
