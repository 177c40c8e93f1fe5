"""The runnable stories under examples/, with packages from PyPI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.ends
@pytest.mark.online
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("uv-sync", "uv.lock and pyproject.toml have not changed"),
        ("plain-tools", "pydantic"),
        ("internal-index", "metadata files"),
        ("signing-by-two", "refused, as it should be"),
        ("named-targets", "not a byte differs"),
        ("monthly-update", "May's bundle is refused"),
    ],
)
def test_example_runs(tmp_path: Path, name: str, said: str) -> None:
    run = subprocess.run(
        ["sh", EXAMPLES / name / "demo.sh", Path(sys.executable).parent],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert said in run.stdout
