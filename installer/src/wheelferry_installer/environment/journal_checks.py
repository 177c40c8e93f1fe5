"""Compares a journal with the tree and the files that were put aside, before it is replayed.

A journal is untrusted: it may have come with the tree, from an archive or a repository.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator
from pathlib import Path

from wheelferry_installer.environment.tree_changes import Changes
from wheelferry_installer.system.open_folder import OpenFolder
from wheelferry_schemas.errors import ConflictError

_SHOWN = 20


def check(planned: Changes, name: str, tree: OpenFolder, control: OpenFolder) -> None:
    """Raise `ConflictError` unless all files of the journal `name` match it and are below the tree.

    Files that were removed meanwhile do not count.
    """
    problems = [
        f"{part} is not a folder"
        for part in (f"{name}/new", f"{name}/old")
        if not control.has_folder(part)
    ]
    problems += links(planned, tree)
    if not problems:
        problems = [
            *_strange_old(planned, name, tree, control),
            *_strange_new(planned, name, tree, control),
        ]
    if problems:
        raise refused(control.path / name, tree.path, problems)


def links(planned: Changes, tree: OpenFolder) -> list[str]:
    """Return what leads through a link: paths of files to take or put, and folders."""
    folders = {posixpath.dirname(file.path) for file in (*planned.taken, *planned.put)}
    folders |= {*planned.made, *(folder for folder, _ in planned.removed)}
    found = {tree.first_link(f"{folder}/.") for folder in folders if folder}
    return [f"{link} is a link" for link in sorted(filter(None, found))]


def refused(journal: Path, tree: Path, problems: list[str]) -> ConflictError:
    """Return the error of a journal that is not followed."""
    quoted = shlex.quote(os.fspath(journal))
    return ConflictError(
        f"{journal} describes a change that does not fit {tree}",
        details=problems[:_SHOWN],
        hint="nothing was changed; unless you know better, put it aside, and install with "
        f"--reinstall --force: mv {quoted} {quoted}.aside",
    )


def _strange_old(
    planned: Changes, name: str, tree: OpenFolder, control: OpenFolder
) -> Iterator[str]:
    put = {file.path for file in planned.put}
    for number, file in enumerate(planned.taken):
        kept = control.status(f"{name}/old/{number}")
        if kept is not None:
            if not file.is_that(kept):
                yield f"{name}/old/{number} is not what {file.path} was"
        elif file.path not in put or control.has(f"{name}/new/{file.path}"):
            there = tree.status(file.path)
            if there is not None and not file.is_that(there):
                yield f"{file.path} was changed"


def _strange_new(
    planned: Changes, name: str, tree: OpenFolder, control: OpenFolder
) -> Iterator[str]:
    for file in planned.put:
        staged = control.status(f"{name}/new/{file.path}")
        there = tree.status(file.path) if staged is None else staged
        if there is not None and not file.is_that(there):
            yield f"{file.path} was changed"
