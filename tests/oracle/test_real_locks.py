"""Locks from PyPI. What uv takes of them shows at a server of stand-ins; see `stand_ins.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from oracle.ours import choose
from oracle.sampling import sampled
from oracle.shapes import Shape, project
from oracle.stand_ins import StandIns, serve_stand_ins
from oracle.uv_runs import TARGETS, OracleTarget, Uv

SCIENCE = Shape(
    name="science",
    files={
        "pyproject.toml": project(
            needs=["jupyterlab", "pandas", "scipy", "matplotlib", "scikit-learn", "numba", "bokeh"],
            built=False,
        )
    },
)
WEB = Shape(
    name="web",
    files={
        "pyproject.toml": project(
            needs=[
                *("django", "djangorestframework", "celery[redis]", "psycopg[binary]", "pillow"),
                *("sentry-sdk[django]", "uvicorn[standard]", "wagtail", "django-storages[s3]"),
            ],
            groups={"dev": ["pytest-django", "mypy", "ipython"]},
            built=False,
        )
    },
    flags=("", "--no-dev"),
)
LEARNING = Shape(
    name="learning",
    files={
        "pyproject.toml": project(
            needs=["transformers", "datasets", "accelerate"],
            extras={"cpu": ["torch<2.9"], "gpu": ["torch>=2.9", "bitsandbytes"]},
            built=False,
            uv='conflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]',
        )
    },
    flags=("", "--extra cpu", "--extra gpu"),
)
ORCHESTRATION = Shape(
    name="orchestration",
    files={
        "pyproject.toml": project(
            needs=["apache-airflow[celery,postgres,redis,amazon,google,cncf-kubernetes,http,ssh]"],
            python=">=3.10,<3.13",
            built=False,
        )
    },
)
_SAMPLE = (SCIENCE, WEB)
CASES = [
    *sampled([(shape.name, (shape, "")) for shape in _SAMPLE]),
    *(
        pytest.param(
            shape, flags, TARGETS, id=f"{shape.name}: {flags}", marks=pytest.mark.exhaustive
        )
        for shape in (WEB, LEARNING, ORCHESTRATION)
        for flags in shape.flags
        if (shape, flags) != (WEB, "")
    ),
]
_REFUSED = re.compile(r"Distribution `([^=`]+)==")
pytestmark = pytest.mark.online


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[StandIns]:
    with serve_stand_ins() as running:
        yield running


@pytest.fixture(scope="session")
def online_uv(tmp_path_factory: pytest.TempPathFactory) -> Uv:
    """uv with the index of this host."""
    return Uv(tmp_path_factory.mktemp("online"), None)


@pytest.mark.parametrize(("shape", "flags", "targets"), CASES)
def test_chooses_packages_and_files_of_real_lock_as_uv_does(
    online_uv: Uv,
    stand_ins: StandIns,
    shape: Shape,
    flags: str,
    targets: Sequence[OracleTarget],
) -> None:
    folder = _locked(online_uv, shape)
    chosen = choose(folder / "uv.lock", flags.split(), targets)
    redirected = _redirected(folder, stand_ins)
    for target in targets:
        ours = chosen[target.id]
        refused = _install_what_is_not_refused(online_uv, redirected, flags, target, stand_ins)
        if refused is None:
            assert ours.problems
            continue
        asked = set(stand_ins.asked)
        assert ours.fetched_wheels == {name for name in asked if name.endswith(".whl")}
        # What uv builds from source although there are wheels, and what it cannot install at all.
        built = {_project(name) for name in asked if not name.endswith(".whl")}
        unfit = {problem.split(" ", 1)[0] for problem in ours.problems}
        assert refused <= unfit <= built | refused


def _install_what_is_not_refused(
    uv: Uv, folder: Path, flags: str, target: OracleTarget, stand_ins: StandIns
) -> set[str] | None:
    """Install with uv; returns the names of what it refuses, None if that is the whole lock."""
    refused: list[str] = []
    while True:
        left_out = [option for name in refused for option in ("--no-install-package", name)]
        stand_ins.asked.clear()
        answer = uv.install(folder, [*flags.split(), *left_out], target)
        if answer.refusal is None:
            return set(refused)
        match = _REFUSED.search(answer.refusal)
        if match is None:
            return None
        refused.append(match[1])


def _locked(uv: Uv, shape: Shape) -> Path:
    folder = uv.folder / shape.name
    if not folder.exists():
        folder.mkdir()
        (folder / "pyproject.toml").write_text(shape.files["pyproject.toml"])
        uv.lock(folder)
    return folder


def _redirected(folder: Path, stand_ins: StandIns) -> Path:
    """Return a copy of a project whose lock names the stand-ins."""
    copy = folder.with_name(f"{folder.name}-of-stand-ins")
    if not copy.exists():
        copy.mkdir()
        (copy / "pyproject.toml").write_text((folder / "pyproject.toml").read_text())
        (copy / "uv.lock").write_text(stand_ins.redirected((folder / "uv.lock").read_text()))
    return copy


def _project(file_name: str) -> str:
    return canonicalize_name(file_name.rsplit("-", 1)[0])
