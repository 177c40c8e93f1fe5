"""Fixtures for all tests: nothing outside `tmp_path` is read or written, and no network used."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.running import airgap, browsers
from support.running.homes import move_home
from support.running.index import LocalIndex, serve

LEVELS: Mapping[str, set[str]] = {"sample": set(), "ends": {"ends"}, "all": {"ends", "exhaustive"}}
"""Which marked tests a run takes besides those that are not marked, by `--take`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--take",
        choices=LEVELS,
        default="sample",
        help="how much: a sample (make test), with PyPI's wheels (test-ends), or all (test-all)",
    )
    parser.addoption(
        "--keep-answers",
        action="store_true",
        help="write down what uv answers in this run; see tests/oracle/kept_answers.py",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked as more than a sample, unless it is asked for."""
    taken = LEVELS[config.getoption("take")]
    left_out = {
        marker
        for marker in LEVELS["all"] - taken
        if marker not in config.getoption("markexpr", default="")
    }
    rest = [item for item in items if any(map(item.get_closest_marker, left_out))]
    if rest:
        config.hook.pytest_deselected(items=rest)
        items[:] = [item for item in items if item not in set(rest)]


@pytest.fixture(scope="session")
def takes_all(request: pytest.FixtureRequest) -> bool:
    """Whether this run is one that leaves nothing out."""
    return bool(request.config.getoption("take") == "all")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home, config and cache folder of its own, and no settings of this host."""
    move_home(tmp_path_factory.mktemp("home"), monkeypatch)


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    """A package index on 127.0.0.1."""
    with serve() as running:
        yield running


@pytest.fixture
def config_folder() -> Path:
    """Where wheelferry keeps its settings in this test."""
    return Path(os.environ["XDG_CONFIG_HOME"]) / "wheelferry"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let programs be interrupted: those behind `&` in a shell script are not, nor children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("namespace") and not airgap.is_allowed():
        pytest.skip(airgap.NOT_ALLOWED)
    if item.get_closest_marker("browser") and not browsers.is_there():
        pytest.skip(browsers.NO_BROWSER)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last what nobody has looked at: a green run on a host that allows little proves less."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    # A skipped test reports file, line and reason.
    reasons = [report.longrepr[2] for report in reporter.stats.get("skipped", ())]
    for missing in (airgap.NOT_ALLOWED, airgap.NO_MOUNTS, browsers.NO_BROWSER):
        unseen = sum(missing in reason for reason in reasons)
        if unseen:
            reporter.write_line(f"NOT LOOKED AT: {unseen} promises, since {missing}")
