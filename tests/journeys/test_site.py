"""The built documentation, in a browser: from the front page, by search, to an error's entry."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.running import browsers
from support.running.pages import DOCS

pytestmark = pytest.mark.browser
SCRIPT = DOCS.parent / "tests/support/running/browse_site.py"
LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"([a-z]+:)?//[^\"]+\"")


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation") / "site"
    build = [
        str(browsers.DOCS_PYTHON),
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--site-dir",
        str(folder),
    ]
    built = subprocess.run(build, cwd=DOCS.parent, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def seen(site: Path) -> dict[str, Any]:
    """What a reader comes by; `origin` is where the site was."""
    handler = functools.partial(Silent, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}/"
        browse = [str(browsers.DOCS_PYTHON), str(SCRIPT), str(browsers.chromium()), origin]
        read = subprocess.run(browse, capture_output=True, text=True, check=False, timeout=300)
        server.shutdown()
    assert read.returncode == 0, read.stderr
    return {**json.loads(read.stdout), "origin": origin}


def test_a_newcomer_gets_from_the_front_page_to_the_first_crossing(seen: dict[str, Any]) -> None:
    assert "First crossing" in seen["tutorial"]
    assert {"online host", "air-gapped host"} <= set(seen["hosts"])


def test_search_finds_a_term(seen: dict[str, Any]) -> None:
    assert any(title.startswith("Trust") for title in seen["results"])
    assert "revoked_keys" in seen["found"]


def test_an_error_has_its_entry(seen: dict[str, Any]) -> None:
    assert "the bundle expired at" in seen["error"]
    assert "Ask for a current one" in seen["advice"]


def test_no_request_leaves_the_machine(seen: dict[str, Any]) -> None:
    assert len(seen["asked"]) > 10
    assert [url for url in seen["asked"] if not url.startswith(seen["origin"])] == []
    assert seen["wrong"] == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    assert [page for page in pages if LOADED.search(page.read_text(encoding="utf-8"))] == []
