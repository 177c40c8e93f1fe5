"""Wheels that are hostile inside, in bundles that are as they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Host
from support.making.bundles import make_bundle
from support.making.wheels import TinyWheel
from vectors.good_bundle import BUNDLE, SIGNERS, alice, trusting
from vectors.wheels import wheel_vectors

VECTORS = {vector.name: vector for vector in wheel_vectors()}
REFUSED = [
    (name, command) for name, vector in VECTORS.items() if vector.code for command in vector.seen_by
]
CONTROLS = [name for name, vector in VECTORS.items() if not vector.code]


def _files(wheels: tuple[TinyWheel, ...], folder: Path) -> dict[str, bytes]:
    bundle = make_bundle(folder / "made.tar.zst", wheels, keys=[alice()]).read_bytes()
    return {BUNDLE: bundle, SIGNERS: trusting(alice())}


@pytest.mark.parametrize(("name", "command"), REFUSED)
def test_refuses(name: str, command: str, host: Host, tmp_path: Path) -> None:
    vector = VECTORS[name]
    wheels = tuple(vector.wheels())
    ran = host.run(command, _files(wheels, tmp_path), tmp_path / "run")
    host.refuses(ran, vector.code, vector.words)
    assert any(wheel.file_name in ran.err for wheel in wheels)


@pytest.mark.parametrize("name", CONTROLS)
def test_accepts(name: str, host: Host, tmp_path: Path) -> None:
    environment = tmp_path / "run/.venv"
    files = _files(tuple(VECTORS[name].wheels()), tmp_path)
    ran = host.run("install", files, tmp_path / "run", "--venv", str(environment), "--no-sync")
    assert ran.code == 0, ran.err
    host.is_unharmed(ran)
    assert environment.is_dir()
