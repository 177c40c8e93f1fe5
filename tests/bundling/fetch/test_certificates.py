"""Whose certificates are accepted: by our own connections, and by the uv that we start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.airgap import NO_MOUNTS, mount_namespace
from support.running.index import serve
from support.running.sites import make_authority
from wheelferry_bundler.fetch import certificates
from wheelferry_bundler.fetch.certificates import uv_certificates

STORE = next(filter(os.path.exists, certificates._STORES), None)
"""The file of this host's own certificates."""
WITH_STORE = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


@pytest.fixture
def _own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host with certificates of its own, whichever this one is."""
    monkeypatch.setattr(certificates, "_STORES", (os.fspath(tmp_path),))


@pytest.mark.usefixtures("_own_store")
def test_uv_asks_the_system() -> None:
    assert uv_certificates({}) == {"UV_SYSTEM_CERTS": "1"}


@pytest.mark.usefixtures("_own_store")
def test_user_decides_whether_uv_asks_the_system() -> None:
    assert uv_certificates({"UV_SYSTEM_CERTS": "0"}) == {"UV_SYSTEM_CERTS": "0"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a store")
def test_uv_does_not_ask_a_system_without_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_STORES", ("/nowhere",))
    assert uv_certificates({}) == {}


@pytest.mark.usefixtures("_own_store")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_uv_finds_the_certificates_that_its_own_variable_names(variable: str) -> None:
    assert uv_certificates({variable: "/some/where", "PIP_CERT": "/else/where"}) == {}


@pytest.mark.usefixtures("_own_store")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"])
def test_uv_is_told_the_file_that_a_variable_of_others_names(variable: str) -> None:
    assert uv_certificates({variable: "/some/ca.pem"}) == {"SSL_CERT_FILE": "/some/ca.pem"}


@pytest.mark.usefixtures("_own_store")
def test_uv_is_told_the_folder_that_a_variable_of_others_names(tmp_path: Path) -> None:
    stated = {"REQUESTS_CA_BUNDLE": os.fspath(tmp_path)}
    assert uv_certificates(stated) == {"SSL_CERT_DIR": os.fspath(tmp_path)}


@pytest.mark.namespace
@pytest.mark.skipif(STORE is None, reason="this host has no file of certificates to add one to")
def test_create_works_behind_an_authority_that_only_the_system_knows(tmp_path: Path) -> None:
    """As in a company whose proxy has an authority of its own: uv resolves, and we fetch."""
    assert STORE is not None
    authority, tls = make_authority(tmp_path)
    store = tmp_path / "store.pem"
    store.write_bytes(Path(STORE).read_bytes() + b"\n" + authority.read_bytes())
    (tmp_path / "requirements.txt").write_text("pure\n", encoding="ascii")
    named = (*certificates.VARIABLES, "UV_SYSTEM_CERTS")
    own_mounts = mount_namespace()
    if own_mounts is None:
        pytest.skip(NO_MOUNTS)
    with serve(tls) as index:
        index.add(make_wheel("pure"))
        command = [
            *(sys.executable, "-m", "wheelferry_installer", "create", "requirements.txt"),
            *("--unsigned", "--index-url", index.simple_url),
        ]
        run = subprocess.run(
            [*own_mounts, "sh", "-c", WITH_STORE, "sh", store, STORE, *command],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name not in named},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "bundle.tar.zst").exists()
