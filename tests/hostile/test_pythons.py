"""Hostile archives of Python that somebody signed: refused before anything of them is unpacked."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Host
from vectors.python_tars import python_vectors

VECTORS = {vector.name: vector for vector in python_vectors()}


@pytest.mark.parametrize("command", ["verify", "install"])
@pytest.mark.parametrize("name", VECTORS)
def test_refuses(name: str, command: str, host: Host, tmp_path: Path) -> None:
    vector = VECTORS[name]
    options = vector.options if command == "install" else ()
    ran = host.run(command, vector.files(), tmp_path, *options)
    host.refuses(ran, vector.code, vector.words)
