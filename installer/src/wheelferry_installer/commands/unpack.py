"""`bundle unpack`: the verified wheels for pip, uv and whoever serves them to a network."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import (
    Trust,
    gathered,
    json_option,
    quiet_option,
    signers_json,
    trust_options,
    verified,
)
from wheelferry_installer.commands.option_groups import GroupedCommand, grouped
from wheelferry_installer.commands.place_options import sync_option
from wheelferry_installer.commands.printing import say, say_command, say_json, tell, warn
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.display import count, human_size
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_installer.commands.progress_bar import Advance
    from wheelferry_installer.unpack.index_writing import IndexGrowth
    from wheelferry_installer.unpack.unpack_options import UnpackOptions
    from wheelferry_installer.unpack.uv_unpacking import Unpacked
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for, besides the bundle and the folder."""

    targets: tuple[str, ...]
    index: Path | None
    project: Path | None
    editable: bool
    in_place: bool
    undo: Path | None
    no_sync: bool

    @property
    def options(self) -> UnpackOptions:
        """What the API is told."""
        return api.UnpackOptions(targets=self.targets, sync=not self.no_sync)

    def refuse_contradictions(self, bundle: Path | None, folder: Path | None) -> None:
        """Raise `UsageError` unless it is clear what is wanted, and where to."""
        if self.undo is not None:
            # A file that installs itself always names a bundle.
            others = folder or self.targets or self.project or self.index
            _refuse(bool(others), "--undo cannot be combined with anything else")
            return
        _refuse(bundle is None, "missing argument 'BUNDLE'")
        _refuse((folder is None) == (self.index is None), "say where to: DIR or --simple-index DIR")
        _refuse(self.project is not None and folder is None, "--uv-lock needs DIR, for the wheels")
        _refuse(
            self.project is None and (self.editable or self.in_place),
            "--editable and --in-place need --uv-lock",
        )


_wanted_options = gathered(
    "wanted",
    Wanted,
    grouped(
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
    ),
    grouped(
        "For uv",
        click.option(
            "--uv-lock",
            "project",
            type=_FOLDER,
            metavar="PROJECT",
            help="Also write a copy of this project's uv.lock that takes everything from DIR.",
        ),
        click.option(
            "--editable", is_flag=True, help="With --uv-lock: install PROJECT in editable mode."
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
            help="Restore the uv.lock that --in-place replaced.",
        ),
    ),
    sync_option,
)


@click.command(cls=GroupedCommand, epilog=_EPILOG)
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@_wanted_options
@grouped("What to accept", trust_options)
@grouped("Output", json_option, quiet_option)
def unpack(
    bundle: Path | None,
    folder: Path | None,
    wanted: Wanted,
    trust: Trust,
    as_json: bool,
    quiet: bool,
) -> None:
    """Verify BUNDLE and write its wheels and documents into DIR, which has to be new or empty.

    Everything is checked that 'bundle verify' checks, and DIR is there as a whole or not at all.
    With --target, that goes for what is written; the rest is not read.
    """
    wanted.refuse_contradictions(bundle, folder)
    if wanted.undo is not None:
        answer = _undo(wanted.undo, sync=not wanted.no_sync)
    else:
        assert bundle is not None
        with verified(bundle, trust) as checked:
            answer = _answer(checked, folder, wanted, quiet=quiet)
    if as_json:
        say_json(answer.data)
    elif not quiet:
        say(*answer.lines)
        for label, command in answer.commands.items():
            say_command(label, command)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was done: as JSON, and for people, with commands to go on with."""

    data: dict[str, object]
    lines: list[str]
    commands: dict[str, str]


def _answer(bundle: VerifiedBundle, folder: Path | None, wanted: Wanted, *, quiet: bool) -> _Answer:
    """Unpack what is wanted, and return what to say of it and of whoever signed the bundle."""
    from wheelferry_installer.commands.progress_bar import bar

    part = api.narrow(bundle.manifest, wanted.targets)
    size = sum(member.size for member in layout.members(part))
    with bar("unpacking", size, shown=not quiet) as advance:
        if wanted.index is not None:
            growth = api.write_index(bundle, wanted.index, wanted.options, on_progress=advance)
            answer = _of_index(wanted.index, growth)
        else:
            assert folder is not None
            unpacked = _unpack(bundle, folder, wanted, advance)
            answer = _of_folder(bundle.manifest, unpacked, wanted)
    answer.data["targets"] = [target.id for target in part.targets]
    answer.data["manifest_sha256"] = bundle.sha256
    answer.data["signers"] = signers_json(bundle.signers)
    accepted = [signer for signer in bundle.signers if signer.problem is None]
    answer.lines[:0] = [f"signed by {s.name or '?'} {s.fingerprint}" for s in accepted]
    return answer


def _unpack(bundle: VerifiedBundle, folder: Path, wanted: Wanted, advance: Advance) -> Unpacked:
    if wanted.project is None:
        return api.unpack(bundle, folder, wanted.options, on_progress=advance)
    return api.unpack_for_uv(
        bundle,
        folder,
        wanted.project,
        wanted.options,
        editable=wanted.editable,
        in_place=wanted.in_place,
        on_progress=advance,
    )


def _of_folder(whole: Manifest, unpacked: Unpacked, wanted: Wanted) -> _Answer:
    if unpacked.is_other_lock:
        warn(
            f"the bundle was made from another {whole.made_from.name}; "
            "all that this uv.lock calls for is there"
        )
    data: dict[str, object] = {"folder": os.fspath(unpacked.folder)}
    if unpacked.lock is not None:
        data["lock"] = os.fspath(unpacked.lock)
    data["command"] = unpacked.command
    commands = {"use it": unpacked.command}
    if wanted.in_place:
        commands["undo it"] = f"bundle unpack --undo {shlex.quote(os.fspath(wanted.project or ''))}"
    size = human_size(sum(package.size for package in unpacked.part.packages))
    wheels = count(len(unpacked.part.packages), "wheel")
    targets = [target.id for target in unpacked.part.targets]
    for_some = f" for {' and '.join(targets)}" if len(targets) < len(whole.targets) else ""
    line = f"unpacked {wheels} of {size}{for_some} into {unpacked.folder}"
    return _Answer(data, [line], commands)


def _of_index(folder: Path, grown: IndexGrowth) -> _Answer:
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
    changed = api.restore_lock(project, sync=sync)
    lock = os.fspath(project / "uv.lock")
    line = f"{lock} is the project's own again" if changed else f"{lock} was not changed in place"
    return _Answer({"lock": lock, "changed": changed}, [line], {})


def _refuse(is_wrong: bool, why: str) -> None:
    if is_wrong:
        raise UsageError(why, hint="see: bundle unpack --help")
