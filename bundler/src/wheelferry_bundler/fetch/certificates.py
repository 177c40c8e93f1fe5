"""Chooses the accepted certificates: those that variables name, else the system's."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping

import certifi
import truststore

from wheelferry_schemas.errors import UsageError

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
"""The variables of OpenSSL and uv, requests, curl and pip; each of them is honoured."""
_UVS_OWN = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/cert.pem",
)
"""Where Linux distributions keep the certificates that the host accepts."""


def tls_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return the TLS settings; raises `UsageError` for certificate files that cannot be read."""
    stated = dict(_stated(environ))
    if not stated:
        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # A host without its own certificates, such as a bare container, still works.
        context.load_verify_locations(certifi.where())
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path, variable in stated.items():
        try:
            if os.path.isdir(path):
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
        except OSError as error:
            raise UsageError(
                f"the certificates that {variable} names cannot be read: {path}",
                hint=f"name a file of PEM certificates, or unset {variable}",
            ) from error
    return context


def uv_certificates(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that make uv accept what `tls_context` accepts.

    By default uv accepts its bundled authorities, which lack that of a company's proxy.
    """
    variables = {variable: path for path, variable in _stated(environ)}
    if any(variable in variables for variable in _UVS_OWN):
        return {}
    for path in variables.values():
        return {_UVS_OWN[os.path.isdir(path)]: path}
    # Told to use a system without certificates, uv fails even where it needs none.
    if sys.platform == "linux" and not any(map(os.path.exists, _STORES)):
        return {}
    return {"UV_SYSTEM_CERTS": environ.get("UV_SYSTEM_CERTS", "1")}


def _stated(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield paths with the variables that name them; several often name the same file."""
    for variable in VARIABLES:
        text = environ.get(variable, "")
        paths = text.split(os.pathsep) if variable == "SSL_CERT_DIR" else [text]
        yield from ((path, variable) for path in paths if path)
