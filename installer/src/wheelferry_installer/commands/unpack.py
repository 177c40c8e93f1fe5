"""`bundle unpack`: the verified wheels for pip, uv and whoever serves them to a network."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer.commands.bundle_options import (
    Trust,
    json_option,
    quiet_option,
    signers_json,
    trust_options,
    verified,
)
from wheelferry_installer.commands.option_groups import GroupedCommand, grouped
from wheelferry_installer.commands.place_options import sync_option
from wheelferry_installer.commands.printing import say, say_command, say_json, tell, warn
from wheelferry_schemas.display import count, human_size
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_installer.commands.progress_bar import Advance
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_schemas.bundle.manifest import Manifest

_FOLDER = click.Path(path_type=Path, file_okay=False)
_EPILOG = """\b
Examples:
  bundle unpack bundle.tar.zst wheelhouse
  bundle unpack bundle.tar.zst wheelhouse --target cp312-manylinux_2_28_x86_64
  bundle unpack bundle.tar.zst far --uv-lock ~/project
  bundle unpack bundle.tar.zst --simple-index /srv/index
  bundle unpack --undo ~/project
"""


@click.command(cls=GroupedCommand, epilog=_EPILOG)
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@grouped(
    "What to unpack",
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="ID",
        help="Only what this target of the bundle needs, as 'bundle show' names it. Repeatable.",
    ),
    click.option(
        "--simple-index",
        "index",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Make a package index that any web server can serve, or add to it.",
    ),
)
@grouped(
    "For uv",
    click.option(
        "--uv-lock",
        "project",
        type=_FOLDER,
        metavar="PROJECT",
        help="Also write a copy of this project's uv.lock that takes everything from DIR.",
    ),
    click.option(
        "--editable", is_flag=True, help="With --uv-lock: install PROJECT as it lies there."
    ),
    click.option(
        "--in-place",
        is_flag=True,
        help="With --uv-lock: replace the lock in PROJECT, until --undo.",
    ),
    click.option(
        "--undo",
        type=_FOLDER,
        metavar="PROJECT",
        help="Put the uv.lock back that --in-place replaced.",
    ),
)
@grouped("What to accept", trust_options)
@grouped("Output", json_option, quiet_option)
@sync_option
def unpack(
    bundle: Path | None,
    folder: Path | None,
    targets: tuple[str, ...],
    project: Path | None,
    editable: bool,
    in_place: bool,
    undo: Path | None,
    index: Path | None,
    trust: Trust,
    no_sync: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Verify BUNDLE and write its wheels and documents into DIR, which has to be new or empty.

    Everything is checked that 'bundle verify' checks, and DIR is there as a whole or not at all.
    With --target, that goes for what is written; the rest is not read.
    """
    from wheelferry_installer.commands.progress_bar import bar
    from wheelferry_installer.plan.narrowing import narrowed
    from wheelferry_installer.unpack.unpacking import size_of

    if undo is not None:
        # A file that installs itself always names a bundle.
        _refuse(
            bool(folder or targets or project or index),
            "--undo cannot be combined with anything else",
        )
        answer = _undo(undo, sync=not no_sync)
    elif bundle is None:
        raise UsageError("missing argument 'BUNDLE'", hint="see: bundle unpack --help")
    else:
        _refuse((folder is None) == (index is None), "say where to: DIR or --simple-index DIR")
        _refuse(project is not None and folder is None, "--uv-lock needs DIR, for the wheels")
        _refuse(
            project is None and (editable or in_place), "--editable and --in-place need --uv-lock"
        )
        with verified(bundle, trust) as checked:
            part = narrowed(checked.manifest, targets)
            with bar("unpacking", size_of(part), shown=not quiet) as advance:
                how = _How(checked, part, advance, sync=not no_sync)
                if index is not None:
                    answer = _write_index(how, index)
                elif project is not None and folder is not None:
                    answer = _unpack_for_uv(
                        how, folder, project, editable=editable, in_place=in_place
                    )
                else:
                    assert folder is not None
                    answer = _unpack(how, folder)
        answer.data["targets"] = [target.id for target in part.targets]
        answer.signed(checked)
    if as_json:
        say_json(answer.data)
    elif not quiet:
        say(*answer.lines)
        for label, command in answer.commands.items():
            say_command(label, command)


@dataclass(frozen=True, slots=True)
class _How:
    """A verified bundle, the manifest of what is wanted of it, and how to unpack that."""

    bundle: VerifiedBundle
    part: Manifest
    advance: Advance
    sync: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was done: as JSON, and for people, with commands to go on with."""

    data: dict[str, object]
    lines: list[str]
    commands: dict[str, str]

    def signed(self, bundle: VerifiedBundle) -> None:
        """Add who signed the bundle."""
        self.data["manifest_sha256"] = bundle.sha256
        self.data["signers"] = signers_json(bundle.signers)
        accepted = [signer for signer in bundle.signers if signer.problem is None]
        self.lines[:0] = [f"signed by {s.name or '?'} {s.fingerprint}" for s in accepted]


def _unpack(how: _How, folder: Path) -> _Answer:
    from wheelferry_installer.unpack.unpacking import unpack as unpack_into
    from wheelferry_schemas.bundle.layout import requirements_name

    unpack_into(how.bundle, how.part, folder, how.advance, more={}, sync=how.sync)
    alone = len(how.bundle.manifest.targets) == 1
    requirements = requirements_name(how.part.targets[0].id, alone=alone)
    command = (
        f"cd {shlex.quote(os.fspath(folder))} && pip install --no-index --find-links wheels "
        f"--require-hashes -r {requirements}"
    )
    return _Answer(
        {"folder": os.fspath(folder), "command": command},
        [_unpacked(how, folder)],
        {"use it": command},
    )


def _unpack_for_uv(
    how: _How, folder: Path, project: Path, *, editable: bool, in_place: bool
) -> _Answer:
    import tomli_w

    from wheelferry_installer.system import disk
    from wheelferry_installer.unpack import lock_overlay, uv_project
    from wheelferry_installer.unpack.unpacking import WHEELS
    from wheelferry_installer.unpack.unpacking import unpack as unpack_into
    from wheelferry_installer.unpack.uv_project import UvProject

    lock_overlay.refuse_overlaid(project)
    read = UvProject.read(project)
    place = project if in_place else folder
    relocated = read.relocated(how.part, folder / WHEELS, place, editable=editable)
    made_from = how.bundle.manifest.made_from
    if read.sha256 != made_from.sha256:
        warn(
            f"the bundle was made from another {made_from.name}; "
            "all that this uv.lock calls for is there"
        )
    lock = tomli_w.dumps(relocated.lock).encode()
    places: list[str] = []
    more = {uv_project.LOCK: lock, **read.files(), **uv_project.settings(WHEELS)}
    if in_place:
        places = ["--no-index", "--find-links", os.path.abspath(folder / WHEELS)]
        unpack_into(how.bundle, how.part, folder, how.advance, more={}, sync=how.sync)
        try:
            lock_overlay.put_in_place(project, lock, sync=how.sync)
        except BaseException:
            disk.remove(folder)
            raise
    else:
        unpack_into(how.bundle, how.part, folder, how.advance, more=more, sync=how.sync)
    command = uv_project.command(place, how.part, places)
    commands = {"use it": command}
    if in_place:
        commands["undo it"] = f"bundle unpack --undo {shlex.quote(os.fspath(project))}"
    return _Answer(
        {"folder": os.fspath(folder), "lock": os.fspath(place / "uv.lock"), "command": command},
        [_unpacked(how, folder)],
        commands,
    )


def _write_index(how: _How, folder: Path) -> _Answer:
    from wheelferry_installer.unpack.index_writing import write_index

    grown = write_index(how.bundle, how.part, folder, how.advance, sync=how.sync)
    for wheel in grown.kept:
        warn(
            f"{wheel} is there already, from another build, and stays: the source has changed at the "
            "same version, or its backend never builds the same bytes twice"
        )
    if grown.kept:
        tell(
            "hint: raise the version of what was built, or bundle without it: bundle create "
            "--no-install-project (or --no-install-package NAME)"
        )
    verb = "was" if grown.present == 1 else "were"
    there = f", {count(grown.present, 'wheel')} {verb} there already" if grown.present else ""
    return _Answer(
        {
            "folder": os.fspath(folder),
            "added": grown.added,
            "present": grown.present,
            "kept": list(grown.kept),
        },
        [f"{folder}: {count(grown.added, 'wheel')} added{there}"],
        {
            "try it": f"python3 -m http.server --directory {shlex.quote(os.fspath(folder))}",
            "over the network": "pip install --index-url http://HOST:8000/simple/ NAME",
        },
    )


def _undo(project: Path, *, sync: bool) -> _Answer:
    from wheelferry_installer.unpack import lock_overlay

    changed = lock_overlay.undo(project, sync=sync)
    lock = os.fspath(project / "uv.lock")
    line = f"{lock} is the project's own again" if changed else f"{lock} was not changed in place"
    return _Answer({"lock": lock, "changed": changed}, [line], {})


def _unpacked(how: _How, folder: Path) -> str:
    packages = how.part.packages
    size = human_size(sum(package.size for package in packages))
    targets = [target.id for target in how.part.targets]
    chosen = len(targets) < len(how.bundle.manifest.targets)
    whom = f" for {' and '.join(targets)}" if chosen else ""
    return f"unpacked {count(len(packages), 'wheel')} of {size}{whom} into {folder}"


def _refuse(is_wrong: bool, why: str) -> None:
    if is_wrong:
        raise UsageError(why, hint="see: bundle unpack --help")
