"""Hostile locks and requirements, on the side that makes bundles."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Host
from hostile.runner import Watched
from support.running.command import tree
from vectors.locks import lock_vectors

VECTORS = {vector.name: vector for vector in lock_vectors()}
REFUSED = [name for name, vector in VECTORS.items() if vector.code]
CONTROLS = [name for name, vector in VECTORS.items() if not vector.code]


def _create(name: str, host: Host, project: Path) -> Watched:
    for file, data in VECTORS[name].files().items():
        (project / file).write_bytes(data)
    before = tree(project)
    ran = host.runner.run("create", *VECTORS[name].options, cwd=project, env=host.env)
    host.is_unharmed(ran)
    assert tree(project) == before
    return ran


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, host: Host, tmp_path: Path) -> None:
    ran = _create(name, host, tmp_path)
    assert ran.code == VECTORS[name].code, ran.err
    assert sum(line.startswith("error: ") for line in ran.err.splitlines()) == 1, ran.err
    assert VECTORS[name].words in ran.err


@pytest.mark.parametrize("name", CONTROLS)
def test_accepts(name: str, host: Host, tmp_path: Path) -> None:
    ran = _create(name, host, tmp_path)
    assert ran.code == 0, ran.err
