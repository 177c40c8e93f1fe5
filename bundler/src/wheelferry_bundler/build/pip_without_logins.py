"""Runs pip without exposing the logins of indexes to what it builds.

The Python that builds runs this file; it is never imported. The indexes come in the environment,
which other users cannot read, and are removed from it before a build backend runs.
"""

import os
import runpy
import sys


def main(pip: str, *arguments: str) -> None:
    """Run the pip whose folder is `pip` with these arguments."""
    first = os.environ.pop("PIP_INDEX_URL", "")
    others = os.environ.pop("PIP_EXTRA_INDEX_URL", "").split()
    for name in [name for name in os.environ if name.startswith("UV_")]:
        del os.environ[name]
    indexes = ["--index-url", first] if first else []
    for url in others:
        indexes += ["--extra-index-url", url]
    sys.argv[1:] = [*arguments, *indexes]
    sys.path.insert(0, os.path.dirname(pip))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
