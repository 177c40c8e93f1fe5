"""Finds what a bundle is made from: a project folder, a lock, or a requirements file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.locked import LockKind
from wheelferry_schemas.errors import UsageError

_KINDS: tuple[tuple[re.Pattern[str], LockKind], ...] = (
    (re.compile(r"uv\.lock"), "uv.lock"),
    (re.compile(r"pylock(\.[^.]+)?\.toml"), "pylock.toml"),
    (re.compile(r".*requirements.*\.(txt|in)"), "requirements.txt"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file to read, and the others in the same folder that were passed over for it."""

    path: Path
    kind: LockKind
    passed_over: tuple[str, ...] = ()


def find_input(source: Path) -> Input:
    """Return what `source` is, or which of the files in the folder `source` is taken.

    Raises `UsageError` where there is none.
    """
    if source.is_dir():
        return _find_in_folder(source)
    if not source.exists():
        raise UsageError(f"{source} does not exist", hint="name a project folder or a lock")
    kind = _kind(source.name)
    if kind is None:
        if source.name == "pyproject.toml":
            raise _unlocked(source.parent)
        raise UsageError(
            f"{source.name} is no lock that is known here",
            hint="wheelferry reads uv.lock, pylock.toml, pylock.<name>.toml and requirements*.txt",
        )
    return Input(path=source, kind=kind)


def _find_in_folder(folder: Path) -> Input:
    names = ["uv.lock", "pylock.toml", "requirements.txt"]
    names += sorted(path.name for path in folder.glob("requirements*.txt"))
    found = [name for name in dict.fromkeys(names) if (folder / name).is_file()]
    if not found:
        raise _unlocked(folder)
    kind = _kind(found[0])
    assert kind is not None
    return Input(path=folder / found[0], kind=kind, passed_over=tuple(found[1:]))


def _unlocked(folder: Path) -> UsageError:
    where = "here" if folder.resolve() == Path.cwd() else f"in {folder}"
    if (folder / "pyproject.toml").is_file():
        return UsageError(
            f"no lock found {where}: pyproject.toml does not say which versions to take",
            hint="lock the project first: uv lock",
        )
    return UsageError(
        f"no lock found {where}",
        hint="run this in a project that has a uv.lock, pylock.toml or requirements.txt, "
        "or name one: bundle create path/to/uv.lock",
    )


def _kind(name: str) -> LockKind | None:
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(name)), None)
