"""The hostile vectors within one process: what `tests/hostile` runs as commands, quick enough to be
run again for each mutant. pytest finds these tests only where it is given this file.
"""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from vectors.archives import archive_vectors
from vectors.good_bundle import BUNDLE, SIGNERS
from vectors.manifests import manifest_vectors
from vectors.policies import policy_vectors
from vectors.signatures import signature_vectors
from vectors.tars import tar_vectors
from vectors.wheels import wheel_vectors
from wheelferry_installer.verify import policy as policies
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import verify, verify_contents
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.errors import WheelferryError

_FAMILIES = (archive_vectors, tar_vectors, manifest_vectors, signature_vectors, policy_vectors)
BUNDLES = {
    f"{family.__name__}/{vector.name}": vector
    for family in _FAMILIES
    for vector in family()
    if not vector.options or vector.options[0] == "--require-signatures"
}
_SLOW = ("several", "bomb-by-count", "bomb-by-ratio")
WHEELS = {v.name: v for v in wheel_vectors() if not any(word in v.name for word in _SLOW)}


@pytest.mark.parametrize("name", BUNDLES)
def test_bundle(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vector = BUNDLES[name]
    monkeypatch.setattr(policies, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.setattr(policies, "config_folder", lambda: tmp_path / "config")
    for file_name, data in vector.files().items():
        (tmp_path / file_name).write_bytes(data)
        (tmp_path / file_name).chmod(0o644)
    required = int(vector.options[1]) if vector.options else None
    code, said = 0, ""
    try:
        opened = open_bundle(tmp_path / BUNDLE)
        try:
            policy = policies.load_policy(tmp_path / SIGNERS, required)
            bundle = verify(opened, policy, int(time.time()))
            verify_contents(bundle, bundle.manifest.packages)
        finally:
            opened.archive.close()
    except WheelferryError as error:
        code, said = error.exit_code, str(error)
    assert code == vector.code
    # What is printed has its control characters escaped.
    assert not code or vector.words in said or "\\" in vector.words


@pytest.mark.parametrize("name", WHEELS)
def test_wheel(name: str) -> None:
    vector = WHEELS[name]
    code, said = 0, ""
    try:
        for wheel in vector.wheels():
            opened = VerifiedWheel(io.BytesIO(wheel.data), wheel.file_name)
            for _, stream, _ in opened.get_contents():
                while stream.read(2**20):
                    pass
    except WheelferryError as error:
        code, said = error.exit_code, str(error)
    assert code == vector.code
    assert not code or vector.words in said
