"""Finds what a bundle is made from: a project folder, a lock, requirements, or a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import LockKind
from wheelferry_bundler.read.index_settings import known_indexes
from wheelferry_bundler.read.requirement_lines import read_lines
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
"""Where a script begins to state its dependencies (PEP 723)."""
_LOCKS = ("uv.lock", "pylock.toml", "requirements.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file to read, and the others in the same folder that were passed over for it.

    Relative paths in a requirements file start at `folder`.
    """

    path: Path
    kind: LockKind
    folder: Path
    passed_over: tuple[str, ...] = ()

    @property
    def is_lock(self) -> bool:
        """Whether the file says which versions to take, for every target."""
        return self.kind in ("uv.lock", "pylock.toml")

    def lists_every_file(self) -> bool:
        """Return whether a requirements file pins everything with hashes; raises as `read_lines`."""
        if self.kind != "requirements.txt":
            return False
        lines = read_lines(self.path)
        return lines.complete and bool(lines.asked)


def find_input(source: Path) -> Input:
    """Return what `source` is, or which of the files in the folder `source` is taken.

    Raises `UsageError` where there is none.
    """
    if source.is_dir():
        return _find_in_folder(source)
    if not source.exists():
        raise UsageError(f"{source} does not exist", hint="name a project folder or a lock")
    kind = _kind(source.name)
    if kind is None or (source.suffix == ".py" and not is_script(source)):
        raise UsageError(
            f"{source.name} is no lock that is known here",
            hint="wheelferry reads uv.lock, pylock.toml, pylock.<name>.toml, requirements*.txt, "
            "pyproject.toml, and scripts that state their dependencies (PEP 723)",
        )
    # As pip has it: paths start where the command is run, which for most is the project.
    here = Path.cwd()
    folder = here if here in source.resolve().parents else source.resolve().parent
    return Input(path=source, kind=kind, folder=folder)


def is_script(path: Path) -> bool:
    """Return whether a file states its dependencies (PEP 723)."""
    return bool(SCRIPT_BLOCK.search(read_input(path)))


def locations_for(source: Input, folders: Sequence[Path], mirrors: Sequence[str]) -> Locations:
    """Return where files may be had besides where `source` says, logins of its indexes included.

    `folders` come from `--find-links`, `mirrors` from `--index-url`.
    """
    indexes = known_indexes(source.path.resolve().parent)
    if source.path.suffix in (".txt", ".in"):
        indexes = (*read_lines(source.path).indexes, *indexes)
    return Locations(folders=tuple(folders), mirrors=tuple(mirrors), indexes=indexes)


def _find_in_folder(folder: Path) -> Input:
    names = [*_LOCKS, *sorted(path.name for path in folder.glob("requirements*.txt"))]
    found = [name for name in dict.fromkeys(names) if (folder / name).is_file()]
    if not found and _is_project(folder / "pyproject.toml"):
        found = ["pyproject.toml"]
    if not found:
        raise _unlocked(folder)
    kind = _kind(found[0])
    assert kind is not None
    return Input(
        path=folder / found[0], kind=kind, folder=folder.resolve(), passed_over=tuple(found[1:])
    )


def _is_project(path: Path) -> bool:
    """Tell whether a pyproject.toml asks for anything: many only configure tools."""
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
