"""The corpus on disk: each shape's files, locked by uv when it is first asked for."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from oracle.kept_answers import KeptAnswers
from oracle.packages import fill, fill_second
from oracle.shapes import Shape, buildable, project
from oracle.uv_runs import Answer, OracleTarget, Uv
from support.running.index import LocalIndex

_DAY = "2026-01-01T00:00:00Z"


@dataclass
class Corpus:
    """Projects below `folder`, whose locks name two indexes and a git repository."""

    folder: Path
    main: LocalIndex
    second: LocalIndex
    uv: Uv
    kept: KeptAnswers
    _projects: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fill(self.main)
        fill_second(self.second)
        self._repository = _make_repository(self.folder / "repository")
        self.kept.names = {
            self.main.url: "@MAIN@",
            self.second.url: "@SECOND@",
            self._repository.as_uri(): "@GIT@",
            str(self.folder): "@FOLDER@",
        }

    def locked(self, shape: Shape) -> Path:
        """Return the folder of a shape's project, with its uv.lock."""
        if shape.name not in self._projects:
            self._projects[shape.name] = self._make(shape)
        return self._projects[shape.name]

    def packages(
        self, shape: Shape, flags: Sequence[str], targets: Sequence[OracleTarget]
    ) -> Mapping[str, Answer]:
        """Return what uv would install of a shape's project for each target, by its id."""
        folder = self.locked(shape)
        return self.kept.packages(
            folder / "uv.lock", flags, targets, lambda asked: self.uv.sync(folder, flags, asked)
        )

    def pylock_packages(
        self, lock: Path, flags: Sequence[str], targets: Sequence[OracleTarget]
    ) -> Mapping[str, Answer]:
        """Return what uv would install from a pylock.toml for each target, by its id."""
        return self.kept.packages(
            lock, flags, targets, lambda asked: self.uv.sync_pylock(lock, flags, asked)
        )

    def files(
        self, shape: Shape, flags: Sequence[str], target: OracleTarget
    ) -> tuple[Answer, frozenset[str]]:
        """Return what uv installs of a shape's project, and the files that it asks indexes for."""
        folder = self.locked(shape)

        def install() -> tuple[Answer, frozenset[str]]:
            with self._asked_files() as asked:
                answer = self.uv.install(folder, flags, target)
            return answer, frozenset(asked)

        return self.kept.files(folder / "uv.lock", flags, target, install)

    @contextmanager
    def _asked_files(self) -> Iterator[set[str]]:
        """Collect the names of the files that the indexes are asked for in the block."""
        asked: set[str] = set()
        starts = [(index, len(index.requests)) for index in (self.main, self.second)]
        yield asked
        for index, start in starts:
            paths = [path for path, _ in index.requests[start:]]
            asked |= {path.removeprefix("/files/") for path in paths if "/files/" in path}

    def _make(self, shape: Shape) -> Path:
        folder = self.folder / shape.name.replace(" ", "-").replace(",", "")
        for name, text in buildable(shape.files).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text == "@FILE@":
                path.write_bytes(self.main.files[path.name])
            else:
                path.write_text(self._filled(text))
        self.uv.lock(folder, *shape.lock_arguments)
        lock = folder / "uv.lock"
        for old, new in shape.edit_lock:
            text = lock.read_text()
            assert old in text
            lock.write_text(text.replace(old, new))
        for name in shape.without:
            (folder / name).unlink()
        return folder

    def _filled(self, text: str) -> str:
        for placeholder, value in {
            "@MAIN@": self.main.simple_url,
            "@SECOND@": self.second.simple_url,
            "@FILES@": self.main.file_url(""),
            "@GIT@": self._repository.as_uri(),
        }.items():
            text = text.replace(placeholder, value)
        return text


def _make_repository(folder: Path) -> Path:
    """Make a git repository with a project, and another one in a folder of it."""
    files = buildable(
        {
            "pyproject.toml": project("in-git", ["leaf"], extras={"more": ["colors"]}),
            "deep/pyproject.toml": project("deep-in-git", ["branch"]),
        }
    )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    identity = ("-c", "user.name=tests", "-c", "user.email=tests@example.invalid")
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        (*identity, "commit", "--quiet", "--message=first"),
    ):
        subprocess.run(
            ["git", *arguments],
            cwd=folder,
            # The same commit in every run.
            env={**os.environ, "GIT_AUTHOR_DATE": _DAY, "GIT_COMMITTER_DATE": _DAY},
            check=True,
            capture_output=True,
        )
    return folder
