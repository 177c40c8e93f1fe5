"""Stand-ins for the files of real locks: tiny, made when asked for, so that uv can install them.

Which files uv takes of a lock from a real index shows when the lock names this server instead.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from oracle.packages import make_sdist
from support.making.wheels import make_wheel

_FILE_URL = re.compile(r'url = "https?://[^"/]+/')
_HASH = re.compile(r', hash = "[^"]+"')
_SIZE = re.compile(r", size = \d+")


@dataclass
class StandIns:
    """A server of stand-ins; `asked` are the names of the files that were asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)

    def redirected(self, lock: str) -> str:
        """Return the text of a uv.lock with all files here, without hashes and sizes."""
        return _SIZE.sub("", _HASH.sub("", _FILE_URL.sub(f'url = "{self.url}/', lock)))


@contextmanager
def serve_stand_ins() -> Iterator[StandIns]:
    """Run a server for as long as the block lasts."""
    stand_ins = StandIns()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

        def do_GET(self) -> None:
            file_name = unquote(self.path).rsplit("/", 1)[-1]
            stand_ins.asked.append(file_name)
            body = _stand_in(file_name)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_ins.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield stand_ins
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _stand_in(file_name: str) -> bytes:
    if file_name.endswith(".whl"):
        name, version, *_, python, abi, platform = file_name.removesuffix(".whl").split("-")
        return make_wheel(name, version, tag=f"{python}-{abi}-{platform}", pure=False).data
    name, version = re.sub(r"\.(tar\.\w+|zip|tgz)$", "", file_name).rsplit("-", 1)
    return make_sdist(name, version)[1]
