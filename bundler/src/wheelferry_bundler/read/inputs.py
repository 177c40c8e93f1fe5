"""Finds the source of a bundle: a project folder, a lock, requirements or a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.model.locked import LockKind
from wheelferry_bundler.read.index_settings import known_indexes
from wheelferry_bundler.read.requirement_lines import RequirementLines, read_lines
from wheelferry_bundler.read.toml_tables import read_input, read_toml
from wheelferry_schemas.errors import UsageError

_KINDS: tuple[tuple[re.Pattern[str], LockKind], ...] = (
    (re.compile(r"uv\.lock"), "uv.lock"),
    (re.compile(r"pylock(\.[^.]+)?\.toml"), "pylock.toml"),
    (re.compile(r"pyproject\.toml"), "pyproject.toml"),
    (re.compile(r".*\.py"), "script"),
    (re.compile(r".*\.(txt|in)"), "requirements.txt"),
)
SCRIPT_BLOCK = re.compile(rb"(?m)^# /// script[ \t]*\r?$")
"""The first line of a script's metadata block (PEP 723)."""
_LOCKS = ("uv.lock", "pylock.toml", "requirements.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file that a bundle is made from.

    `passed_over` are other candidates in the same folder. `lines` is the content of a requirements
    file, None for other kinds; relative paths in it start at `folder`.
    """

    path: Path
    kind: LockKind
    folder: Path
    passed_over: tuple[str, ...] = ()
    lines: RequirementLines | None = None

    @property
    def is_lock(self) -> bool:
        """Whether the file states the versions for every target."""
        return self.kind in ("uv.lock", "pylock.toml")

    def lists_every_file(self) -> bool:
        """Return whether it is a requirements file that pins everything with hashes."""
        return self.lines is not None and self.lines.complete and bool(self.lines.asked)


def find_source(path: Path) -> Source:
    """Return a file as a source, or the preferred one of the files in a folder.

    Raises `UsageError` where there is none, and as `read_lines` for a requirements file.
    """
    if path.is_dir():
        return _find_in_folder(path)
    if not path.exists():
        raise UsageError(f"{path} does not exist", hint="name a project folder or a lock")
    kind = _kind(path.name)
    if kind is None or (path.suffix == ".py" and not is_script(path)):
        raise UsageError(
            f"{path.name} is not a lock that wheelferry reads",
            hint="wheelferry reads uv.lock, pylock.toml, pylock.<name>.toml, requirements*.txt, "
            "pyproject.toml, and scripts that state their dependencies (PEP 723)",
        )
    # As in pip: paths start at the current folder, which usually is the project.
    here = Path.cwd()
    folder = here if here in path.resolve().parents else path.resolve().parent
    return _source(path, kind, folder)


def requirements_file(path: Path) -> Source:
    """Return a requirements file as a source; raises as `read_lines`."""
    return _source(path, "requirements.txt", path.parent)


def is_script(path: Path) -> bool:
    """Return whether a file states its dependencies (PEP 723)."""
    return bool(SCRIPT_BLOCK.search(read_input(path)))


def script_block(path: Path) -> tuple[str, int]:
    """Return the TOML that a script states (PEP 723), and the line that it begins at."""
    lines = read_input(path).decode("utf-8", "replace").splitlines()
    start = next(i for i, line in enumerate(lines) if SCRIPT_BLOCK.match(line.encode()))
    block = takewhile(
        lambda line: line.startswith("#") and line.rstrip() != "# ///", lines[start + 1 :]
    )
    return "\n".join(line[2:] for line in block), start + 2


def indexes_of(source: Source) -> tuple[Index, ...]:
    """Return the indexes that a source and the settings name; their URLs may contain logins.

    Raises `MalformedError` where a settings file is not TOML.
    """
    own = source.lines.indexes if source.lines else ()
    return (*own, *known_indexes(source.path.resolve().parent))


def _source(path: Path, kind: LockKind, folder: Path, passed_over: Sequence[str] = ()) -> Source:
    lines = read_lines(path) if kind == "requirements.txt" else None
    return Source(path=path, kind=kind, folder=folder, passed_over=tuple(passed_over), lines=lines)


def _find_in_folder(folder: Path) -> Source:
    names = [*_LOCKS, *sorted(path.name for path in folder.glob("requirements*.txt"))]
    found = [name for name in dict.fromkeys(names) if (folder / name).is_file()]
    if not found and _is_project(folder / "pyproject.toml"):
        found = ["pyproject.toml"]
    if not found:
        raise _unlocked(folder)
    kind = _kind(found[0])
    assert kind is not None
    return _source(folder / found[0], kind, folder.resolve(), found[1:])


def _is_project(path: Path) -> bool:
    """Return whether a pyproject.toml describes a project: many only configure tools."""
    return path.is_file() and any(
        key in read_toml(path) for key in ("project", "dependency-groups")
    )


def _unlocked(folder: Path) -> UsageError:
    where = "here" if folder.resolve() == Path.cwd() else f"in {folder}"
    return UsageError(
        f"no lock found {where}",
        hint="run this in a project that has a uv.lock, pylock.toml, requirements.txt or "
        "pyproject.toml, or name one: bundle create path/to/uv.lock",
    )


def _kind(name: str) -> LockKind | None:
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(name)), None)
