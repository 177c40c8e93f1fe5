"""A host that has an environment already, and what has to hold of it after hostile input."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hostile.runner import Runner, Watched
from support.making.bundles import make_bundle
from support.running.command import tree
from vectors.good_bundle import BUNDLE, SIGNERS, alice, trusting, wheels

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
MEMORY = 512 * 2**20
SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host with an environment in `folder`, which no hostile input may change."""

    folder: Path
    env: Mapping[str, str]
    runner: Runner
    before: Mapping[str, object]

    @property
    def environment(self) -> Path:
        return self.folder / ".venv"

    def run(self, command: str, files: Mapping[str, bytes], place: Path, *options: str) -> Watched:
        """Put files to a place, and run a command on the bundle among them."""
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (place / name).write_bytes(data)
            (place / name).chmod(0o644)
        if command == "install" and "--venv" not in options:
            options = (*options, "--venv", str(self.environment))
        signers = place / SIGNERS
        arguments: tuple[str | Path, ...] = (command, BUNDLE, "--allowed-signers", signers)
        return self.runner.run(*arguments, *options, cwd=place, env=self.env)

    def refuses(self, ran: Watched, code: int, *words: str) -> None:
        """Check all that has to hold after input was refused."""
        assert ran.code == code, ran.err
        said = ran.err.splitlines()
        assert sum(line.startswith("error: ") for line in said) == 1, ran.err
        for part in words:
            assert part in ran.err
        self.is_unharmed(ran)
        assert {path for path in ran.written if not self._is_staging(path)} == set()
        assert tree(self.folder) == self.before

    def is_unharmed(self, ran: Watched) -> None:
        """Check what has to hold whatever the input was."""
        assert not _CONTROL.search(ran.out + ran.err)
        assert "Traceback" not in ran.err
        assert "wheelferry itself failed" not in ran.err
        assert ran.memory < MEMORY
        assert ran.seconds < SECONDS
        assert not Path(self.env["WHEELFERRY_CANARY"]).exists()
        assert {path for path in ran.executed if self._is_foreign(path)} == set()
        assert {os.path.realpath(path) for path in ran.started} <= {
            os.path.realpath(sys.executable)
        }

    def _is_staging(self, path: str) -> bool:
        # The parent of an environment is made where it is not there yet.
        return path in {os.devnull, str(self.folder)} or path.startswith(
            f"{self.environment}.wheelferry"
        )

    def _is_foreign(self, path: str) -> bool:
        return path.startswith(str(self.folder.parent))


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    running = Runner(tmp_path_factory.mktemp("runner"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def host(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Host:
    root = tmp_path_factory.mktemp("host")
    folder = root / "work"
    folder.mkdir()
    env = {
        "HOME": str(root / "home"),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "XDG_CONFIG_HOME": str(root / "config"),
        "XDG_STATE_HOME": str(root / "state"),
        "WHEELFERRY_CANARY": str(root / "canary"),
    }
    signers = folder / SIGNERS
    signers.write_bytes(trusting(alice()))
    bundle = make_bundle(folder / BUNDLE, wheels(), keys=[alice()])
    ran = runner.run(
        *("install", bundle, "--allowed-signers", signers, "--no-sync"), cwd=folder, env=env
    )
    assert ran.code == 0, ran.err
    return Host(folder=folder, env=env, runner=runner, before=tree(folder))
