"""Reads the Python archives for a bundle, and assigns them to targets."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import zstandard
from packaging.specifiers import SpecifierSet

from wheelferry_bundler.fetch.hashing import hash_file
from wheelferry_schemas.bundle.manifest import PythonArchive
from wheelferry_schemas.errors import MalformedError, TransferError, UnfitError, UsageError
from wheelferry_schemas.python_tree import BROKEN, Release, read_release, read_tree
from wheelferry_schemas.tar.tar_headers import read_entries
from wheelferry_schemas.tar.unfolding import Unfolder, unfolded
from wheelferry_schemas.target import Target

_MACHINES = {"arm64": "aarch64", "AMD64": "x86_64", "i686": "i686", "ARM64": "aarch64"}
_SYSTEMS = {"manylinux": "unknown-linux-gnu", "musllinux": "unknown-linux-musl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonFile:
    """An archive on this host, and its entry in the manifest."""

    path: Path
    archive: PythonArchive


def read_python_archives(given: Sequence[str], targets: Sequence[Target]) -> tuple[PythonFile, ...]:
    """Return the archives that `--python-archive` names, sorted by file name.

    Each is `FILE` or `TARGET=FILE`. If the bundle has one target, a file is for that one, otherwise
    its name decides. Raises `UsageError`, `UnfitError` where an archive is for no target, and
    `MalformedError` where it contains no interpreter.
    """
    by_id = {target.id: target for target in targets}
    served: dict[Path, list[str]] = {}
    for text in given:
        named, equals, rest = text.partition("=")
        if equals and named in by_id:
            served.setdefault(Path(rest), []).append(named)
        else:
            served.setdefault(Path(text), []).extend(_targets_of(Path(text), targets))
    _refuse_several(served)
    found = [_read(path, sorted(set(ids)), by_id) for path, ids in served.items()]
    return tuple(sorted(found, key=lambda file: file.archive.name))


def _targets_of(path: Path, targets: Sequence[Target]) -> list[str]:
    if len(targets) == 1:
        return [targets[0].id]
    release = read_release(path.name)
    if release is None:
        raise UsageError(
            f"which target {path.name} is for does not follow from its name",
            hint=f"say so: --python-archive {targets[0].id}={path}",
        )
    fitting = [target.id for target in targets if _fits(release, target)]
    if not fitting:
        raise UnfitError(
            f"{path.name} is for none of the targets: {', '.join(t.id for t in targets)}",
            hint="leave it out, or add the target that it is for",
        )
    return fitting


def _fits(release: Release, target: Target) -> bool:
    machine, _, system = release.triple.partition("-")
    wanted = _MACHINES.get(target.markers.platform_machine, target.markers.platform_machine)
    kind = target.platforms[0].partition("_")[0].rstrip("0123456789")
    return (
        machine == wanted
        and system == _SYSTEMS.get(kind, "apple-darwin" if kind == "macosx" else "")
        and release.free_threaded == target.abis[0].endswith("t")
        and SpecifierSet(target.requires_python).contains(release.version)
    )


def _refuse_several(served: Mapping[Path, Sequence[str]]) -> None:
    names = [path.name for path in served]
    ids = [target for targets in served.values() for target in set(targets)]
    for what, values in (("archives called", names), ("Python archives for", ids)):
        for value in sorted(set(values)):
            if values.count(value) > 1:
                raise UsageError(f"there are two {what} {value}", hint="leave one of them out")


def _read(path: Path, ids: Sequence[str], targets: Mapping[str, Target]) -> PythonFile:
    release = read_release(path.name)
    for target in ids:
        if release is not None and not _fits(release, targets[target]):
            raise UnfitError(
                f"{path.name} is not for {target}, by its name",
                hint="name another archive, or rename it if the name is wrong",
            )
    try:
        sha256, size = hash_file(path)
        systems = {targets[target].markers.sys_platform for target in ids}
        _check(path, folds_case=systems != {"linux"})
    except OSError as error:
        raise TransferError(
            f"{path} cannot be read: {error.strerror or error}", hint="is the path right?"
        ) from error
    try:
        archive = PythonArchive(
            name=path.name, sha256=sha256, size=size, targets=tuple(ids)
        ).checked()
    except ValueError as error:
        raise UsageError(
            f"{path.name} is not the name of a Python archive",
            hint="its name has to end in .tar.gz or .tar.zst",
        ) from error
    return PythonFile(path=path, archive=archive)


def _check(path: Path, *, folds_case: bool) -> None:
    """Check every member, since the air-gapped host would refuse an archive that breaks a rule."""
    try:
        with path.open("rb") as file:
            entries = read_entries(unfolded(file.read, _unfolder(path.name)))
            read_tree((entry for entry, _ in entries), folds_case=folds_case)
    except (*BROKEN, zstandard.ZstdError) as error:
        raise MalformedError(
            f"{path.name} is not a readable archive: {error}", hint="fetch it again"
        ) from error
    except MalformedError as error:
        raise MalformedError(
            f"{path.name}: {error.message}", details=error.details, hint=error.hint
        ) from error


def _unfolder(name: str) -> Unfolder:
    if name.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompressobj()
    return zlib.decompressobj(zlib.MAX_WBITS | 16)
