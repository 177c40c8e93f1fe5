"""Whether this host can build the documentation and open it in a browser."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS_PYTHON = ROOT / ".venv-docs/bin/python"
"""What `make docs` sets up; it has the browser's driver too."""
NO_BROWSER = "there is no Chromium here, or `make docs` was not run"


@cache
def chromium() -> str | None:
    """Return the path of a Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def is_there() -> bool:
    """Return whether the documentation can be built and opened."""
    return chromium() is not None and (DOCS_PYTHON.parent.parent / ".ready").exists()
