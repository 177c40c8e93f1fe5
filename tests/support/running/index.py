"""A package index on 127.0.0.1 that can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from support.making.wheels import TinyWheel


@dataclass
class LocalIndex:
    """An index that serves files and their simple pages (PEP 503).

    The sets and mappings below may be changed while it runs; keys are file names. `requests` lists
    what was asked for, with the Range header if there was one.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    login: tuple[str, str] | None = None
    delay: float = 0.0
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def add(self, *wheels: TinyWheel) -> None:
        for wheel in wheels:
            self.add_file(wheel.file_name, wheel.data)

    def add_file(self, file_name: str, data: bytes) -> None:
        self.files[file_name] = data
        self.hashes[file_name] = hashlib.sha256(data).hexdigest()

    @property
    def simple_url(self) -> str:
        return f"{self.url}/simple/"

    def file_url(self, file_name: str) -> str:
        return f"{self.url}/files/{file_name}"

    def file_requests(self, file_name: str) -> list[str | None]:
        """Return the Range headers of the requests for a file."""
        return [ranges for path, ranges in self.requests if path == f"/files/{file_name}"]


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[LocalIndex]:
    """Run an empty index for as long as the block lasts; with `tls` it speaks HTTPS alone."""
    index = LocalIndex()

    class Handler(_Handler):
        served = index

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    index.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: LocalIndex
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args

    def do_HEAD(self) -> None:
        # As an index answers that offers no ranges: uv then fetches the file itself.
        self._answer(405, b"")

    def do_GET(self) -> None:
        index = self.served
        path = unquote(self.path).split("#")[0]
        index.requests.append((path, self.headers.get("Range")))
        time.sleep(index.delay)
        if index.login and self.headers.get("Authorization") != _basic(*index.login):
            self._answer(401, b"", {"WWW-Authenticate": "Basic"})
        elif path.startswith("/simple/"):
            self._answer(200, self._page(path.split("/")[2]), {"Content-Type": "text/html"})
        elif path.startswith("/files/"):
            self._file(path.removeprefix("/files/"))
        else:
            self._answer(404, b"")

    def _page(self, project: str) -> bytes:
        index = self.served
        links = [
            f'<a href="/files/{name}#sha256={index.hashes[name]}">{name}</a>'
            for name in index.files
            if canonicalize_name(name.split("-")[0]) == canonicalize_name(project)
        ]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def _file(self, name: str) -> None:
        index = self.served
        if index.statuses.get(name):
            self._answer(index.statuses[name].pop(0), b"")
        elif name in index.redirects:
            self._answer(302, b"", {"Location": index.redirects[name]})
        elif name not in index.files:
            self._answer(404, b"")
        else:
            self._content(name, index.files[name])

    def _content(self, name: str, data: bytes) -> None:
        index = self.served
        start = 0
        ranges = self.headers.get("Range")
        if ranges and index.ranges:
            start = int(ranges.removeprefix("bytes=").split("-")[0])
            if start >= len(data):
                self._answer(416, b"")
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if index.cut_after.get(name):
            self.wfile.write(body[: index.cut_after[name].pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(body)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
