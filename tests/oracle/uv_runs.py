"""Runs uv, hermetically, and reads from its output what it would install."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import uv

from oracle.pretended import make_python
from wheelferry_bundler.fetch.certificates import uv_certificates

_INSTALLED = re.compile(r"^ \+ (\S+?)(?:==(\S+))?(?: \(from .*\)| @ .*)?$", re.MULTILINE)
_INTERPRETERS = "interpreter-v*"
"""The part of uv's cache that holds what interpreters said about themselves."""


@dataclass(frozen=True, slots=True)
class OracleTarget:
    """A host in our words and in uv's."""

    platform: str
    python: str
    uv_platform: str

    @property
    def id(self) -> str:
        """The id that `bundle create` gives this target."""
        short, free_threaded = self.python.rstrip("t"), self.python[len(self.python.rstrip("t")) :]
        _, minor, patch = short.split(".")
        return f"cp3{minor}_{patch}{free_threaded}-{self.platform}"


TARGETS = (
    OracleTarget("manylinux2014_x86_64", "3.12.4", "x86_64-manylinux2014"),
    OracleTarget("manylinux_2_28_aarch64", "3.11.9", "aarch64-manylinux_2_28"),
    OracleTarget("musllinux_1_2_x86_64", "3.10.14", "x86_64-unknown-linux-musl"),
    OracleTarget("macosx_13_0_arm64", "3.13.4", "aarch64-apple-darwin"),
    OracleTarget("win_amd64", "3.12.4", "x86_64-pc-windows-msvc"),
    OracleTarget("manylinux_2_28_x86_64", "3.13.4t", "x86_64-manylinux_2_28"),
    OracleTarget("macosx_13_0_x86_64", "3.10.14", "x86_64-apple-darwin"),
    OracleTarget("manylinux_2_39_x86_64", "3.14.0", "x86_64-manylinux_2_39"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What uv says for a target: what it would install, or why it refuses."""

    packages: Mapping[str, str | None] = field(default_factory=dict)
    refusal: str | None = None


@dataclass
class Uv:
    """uv with a cache, interpreters and an index of its own; None is the index of this host."""

    folder: Path
    index_url: str | None

    def __post_init__(self) -> None:
        self._cache = self.folder / "cache"
        self._pythons = {
            python: make_python(self.folder / "pythons" / python, python)
            for python in sorted({target.python for target in TARGETS})
        }

    def lock(self, project: Path, *arguments: str, python: str = "3.12.4") -> None:
        """Write the uv.lock of a project."""
        run = self._run(["lock", *arguments, *self._python(python)], project)
        assert run.returncode == 0, run.stderr

    def export(self, project: Path, *arguments: str) -> bytes:
        """Return what `uv export --frozen` prints."""
        command = ["export", "--frozen", "--quiet", *self._python("3.12.4"), *arguments]
        run = self._run(command, project)
        run.check_returncode()
        return run.stdout.encode()

    def sync(
        self, project: Path, arguments: Sequence[str], targets: Sequence[OracleTarget] = TARGETS
    ) -> dict[str, Answer]:
        """Return what `uv sync --frozen --dry-run` says, by target id."""

        def ask(target: OracleTarget) -> Answer:
            command = ["sync", "--frozen", "--dry-run", *arguments, *self._for(target)]
            return _answer(self._run(command, project))

        return self._of_all(ask, targets)

    def sync_pylock(
        self, lock: Path, arguments: Sequence[str], targets: Sequence[OracleTarget] = TARGETS
    ) -> dict[str, Answer]:
        """Return what `uv pip sync --dry-run` says of a pylock.toml, by target id."""

        def ask(target: OracleTarget) -> Answer:
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                command = ["pip", "sync", "--dry-run", "--target", folder, str(lock), *arguments]
                return _answer(self._run([*command, *self._for(target)], lock.parent))

        return self._of_all(ask, targets)

    def install(self, project: Path, arguments: Sequence[str], target: OracleTarget) -> Answer:
        """Run `uv sync --frozen` with an empty cache, so that every file has to be fetched."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            cache = Path(folder) / "cache"
            cache.mkdir()
            for interpreters in self._cache.glob(_INTERPRETERS):
                (cache / interpreters.name).symlink_to(interpreters)
            command = ["sync", "--frozen", *arguments, *self._for(target)]
            environment = {
                "UV_CACHE_DIR": str(cache),
                "UV_PROJECT_ENVIRONMENT": str(Path(folder) / "environment"),
            }
            return _answer(self._run(command, project, environment))

    def _for(self, target: OracleTarget) -> list[str]:
        return [*self._python(target.python), "--python-platform", target.uv_platform]

    def _python(self, version: str) -> list[str]:
        return ["--python", str(self._pythons[version])]

    def _of_all(
        self, ask: Callable[[OracleTarget], Answer], targets: Sequence[OracleTarget]
    ) -> dict[str, Answer]:
        with ThreadPoolExecutor(2) as pool:
            return dict(zip((t.id for t in targets), pool.map(ask, targets), strict=True))

    def _run(
        self, arguments: Sequence[str], folder: Path, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **({"UV_DEFAULT_INDEX": self.index_url} if self.index_url else os.environ),
            **uv_certificates(),
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "UV_CACHE_DIR": str(self._cache),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
            **(more or {}),
        }
        return subprocess.run(
            [uv.find_uv_bin(), *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def _answer(run: subprocess.CompletedProcess[str]) -> Answer:
    if run.returncode:
        return Answer(refusal=run.stderr)
    return Answer(
        packages={name: version or None for name, version in _INSTALLED.findall(run.stderr)}
    )
