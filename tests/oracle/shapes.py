"""The corpus: project trees, each of another shape, that uv locks and both sides then read.

In the files, `@MAIN@` and `@SECOND@` stand for the simple pages of the two indexes, `@FILES@` for
the folder of URLs where files of the main index lie, `@GIT@` for a git repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oracle.packages import BACKEND, BUILD_SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A project tree, and the command lines of `uv sync` to try on its lock.

    `widest` is the one that takes most; the wheel files are compared for it, unless they lie in
    the project's own folder (`on_index`). `lock_arguments` are further ones of `uv lock`.
    `edit_lock` holds texts to replace in the lock, `without` files to remove once it is there.
    """

    name: str
    files: Mapping[str, str]
    flags: tuple[str, ...] = ("",)
    widest: str = ""
    on_index: bool = True
    lock_arguments: tuple[str, ...] = ()
    edit_lock: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()


def project(
    name: str = "demo",
    needs: Sequence[str] = (),
    *,
    extras: Mapping[str, Sequence[str]] | None = None,
    groups: Mapping[str, Sequence[str | Mapping[str, str]]] | None = None,
    python: str = ">=3.10",
    built: bool = True,
    dynamic: bool = False,
    uv: str = "",
) -> str:
    """Return the text of a pyproject.toml; `uv` is what it holds below `[tool.uv]`."""
    lines = [
        BUILD_SYSTEM if built else "",
        "[project]",
        f'name = "{name}"',
        'dynamic = ["version"]\n# version = "1.5"' if dynamic else 'version = "1.0"',
        f'requires-python = "{python}"',
        f"dependencies = {json.dumps(list(needs))}",
    ]
    if extras is not None:
        lines.append("[project.optional-dependencies]")
        lines += [f"{extra} = {json.dumps(list(names))}" for extra, names in extras.items()]
    if groups is not None:
        lines.append(dependency_groups(groups))
    if uv:
        lines.append(f"[tool.uv]\n{uv}")
    return "\n".join(lines) + "\n"


def dependency_groups(groups: Mapping[str, Sequence[str | Mapping[str, str]]]) -> str:
    """Return the table of groups; a mapping includes another group."""
    lines = ["[dependency-groups]"]
    for group, entries in groups.items():
        listed = ", ".join(
            json.dumps(entry)
            if isinstance(entry, str)
            else "{" + ", ".join(f'{key} = "{value}"' for key, value in entry.items()) + "}"
            for entry in entries
        )
        lines.append(f"{group} = [{listed}]")
    return "\n".join(lines)


def buildable(files: Mapping[str, str]) -> dict[str, str]:
    """Return the files with the build backend beside each pyproject.toml."""
    backends = {
        f"{path.removesuffix('pyproject.toml')}backend.py": BACKEND
        for path, text in files.items()
        if "backend-path" in text
    }
    return {**files, **backends}
