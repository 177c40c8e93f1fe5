"""Hostile bundles, manifests, signatures and lists of signers, through both commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import Host
from vectors.archives import archive_vectors
from vectors.manifests import manifest_vectors
from vectors.policies import policy_vectors
from vectors.signatures import signature_vectors
from vectors.tars import tar_vectors

_FAMILIES = {
    "archive": archive_vectors,
    "tar": tar_vectors,
    "manifest": manifest_vectors,
    "signature": signature_vectors,
    "policy": policy_vectors,
}
VECTORS = {f"{family}/{v.name}": v for family, make in _FAMILIES.items() for v in make()}
REFUSED = [name for name, vector in VECTORS.items() if vector.code]
CONTROLS = [name for name, vector in VECTORS.items() if not vector.code]


@pytest.mark.parametrize("command", ["verify", "install"])
@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, command: str, host: Host, tmp_path: Path) -> None:
    vector = VECTORS[name]
    ran = host.run(command, vector.files(), tmp_path, *vector.options)
    host.refuses(ran, vector.code, vector.words)


@pytest.mark.parametrize("name", CONTROLS)
def test_accepts(name: str, host: Host, tmp_path: Path) -> None:
    vector = VECTORS[name]
    ran = host.run("verify", vector.files(), tmp_path, *vector.options)
    assert ran.code == 0, ran.err
    assert vector.words in ran.err
    host.is_unharmed(ran)


def test_every_vector_says_what_is_wrong() -> None:
    # Where an archive was cut decides what is wrong with it first.
    unsaid = [name for name in REFUSED if not VECTORS[name].words]
    assert [name for name in unsaid if not name.startswith("archive/cut-")] == []
