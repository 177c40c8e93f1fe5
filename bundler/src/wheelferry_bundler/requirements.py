"""Reads requirements files: resolved with uv for one target, or taken as they stand.

pip evaluates markers with the host that it runs on, whatever `--platform` says; uv has
`--python-platform` and evaluates them for that. A file that pins everything with hashes is not
resolved: uv only looks up its files. Where the file lists hashes, no other file is accepted.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uv
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelferry_bundler.locked import Artifact, LockedPackage, LockedSet, Wanted
from wheelferry_bundler.platforms import parse_platform, uv_platform
from wheelferry_bundler.pylock import read_pylock
from wheelferry_bundler.toml_tables import read_input
from wheelferry_schemas.errors import MalformedError, TransferError, UnfitError
from wheelferry_schemas.target import Target

_HASH = re.compile(r"--hash[= ]\s*([a-z0-9]+):([0-9a-fA-F]+)")
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION_TAIL = re.compile(r"\s--?[A-Za-z].*$")
_INCLUDE = re.compile(r"(?:-r\s*|--requirement[= ]\s*)(.+)")
_SHOWN_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLines:
    """What has to be known of a requirements file before uv reads it.

    `hashes` maps normalized names to the sha256 digests listed for them; `complete` tells that
    every requirement is pinned to one version and lists a hash.
    """

    hashes: dict[str, frozenset[str]]
    complete: bool


def read_requirements(path: Path, target: Target, wanted: Wanted) -> LockedSet:
    """Read a requirements file for one target.

    Raises `MalformedError`, `UnfitError` where nothing satisfies the requirements for the target,
    `TransferError` where the index cannot be asked.
    """
    lines = scan(path)
    lock = _compile(path, target, pinned=lines.complete)
    locked = read_pylock(lock, path.parent, wanted, name="requirements", kind="requirements.txt")
    packages = {
        key: _only_listed(package, lines.hashes.get(package.name), path.name)
        for key, package in locked.packages.items()
    }
    return dataclasses.replace(locked, packages=packages)


def scan(path: Path) -> RequirementLines:
    """Collect pins and hashes of a requirements file and of those that it includes."""
    hashes: dict[str, set[str]] = {}
    complete = True
    for where, line in _logical_lines(path, seen=set()):
        text = _OPTION_TAIL.sub("", line).strip()
        if not text or text.startswith("-"):
            # An option of its own line; an editable is a requirement without a pin.
            complete = complete and not line.startswith(("-e", "--editable"))
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            # A path or URL on its own. uv says whether it is one.
            complete = False
            continue
        listed = {digest.lower() for kind, digest in _HASH.findall(line) if kind == "sha256"}
        if len(listed) != len(set(_HASH.findall(line))):
            raise MalformedError(
                f"{where}: {requirement.name} lists hashes other than sha256",
                hint="list sha256 hashes, as pip-compile and uv write them",
            )
        pins = [spec for spec in requirement.specifier if spec.operator in ("==", "===")]
        pinned = len(pins) == 1 and not pins[0].version.endswith(".*")
        complete = complete and pinned and bool(listed)
        if listed:
            hashes.setdefault(canonicalize_name(requirement.name), set()).update(listed)
    return RequirementLines(
        hashes={name: frozenset(listed) for name, listed in hashes.items()}, complete=complete
    )


def _logical_lines(path: Path, seen: set[Path]) -> Iterator[tuple[str, str]]:
    """Yield (file and line number, text) with continuations joined and comments removed."""
    path = path.resolve()
    if path in seen:
        return
    seen.add(path)
    try:
        text = read_input(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path.name} is not UTF-8 text") from error
    pending = ""
    start = 0
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        start = start if pending else number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            pending += raw[:-1] + " "
            continue
        line = _COMMENT.sub("", pending + raw).strip()
        pending = ""
        if include := _INCLUDE.fullmatch(line):
            yield from _logical_lines(path.parent / include[1].strip(), seen)
        elif line:
            yield f"{path.name}:{start}", line


def _compile(path: Path, target: Target, *, pinned: bool) -> bytes:
    """Return the pylock.toml that uv makes of a requirements file for a target."""
    platform = parse_platform(target.id.split("-", 1)[1])
    python = target.markers.python_version
    if "python_full_version" not in target.assumed:
        python = target.markers.python_full_version
    command = [
        uv.find_uv_bin(),
        *("pip", "compile", str(path), "--format", "pylock.toml", "--no-header", "--quiet"),
        *("--python", sys.executable),
        *("--python-platform", uv_platform(platform), "--python-version", python),
        *(("--no-deps",) if pinned else ()),
    ]
    run = subprocess.run(command, capture_output=True, check=False)
    if run.returncode == 0:
        return run.stdout
    said = run.stderr.decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:]
    # uv exits with 1 where there is no solution and with 2 where it could not look for one.
    kind = UnfitError if run.returncode == 1 else TransferError
    raise kind(
        f"uv could not resolve {path.name} for {target.id}",
        details=said,
        hint="what uv says above is about that target, not about this host",
    )


def _only_listed(
    package: LockedPackage, listed: frozenset[str] | None, file_name: str
) -> LockedPackage:
    if listed is None:
        return package

    def is_listed(artifact: Artifact) -> bool:
        return artifact.sha256 in listed

    wheels = tuple(filter(is_listed, package.wheels))
    sdist = package.sdist if package.sdist and is_listed(package.sdist) else None
    if not wheels and sdist is None:
        raise MalformedError(
            f"none of the hashes that {file_name} lists for {package.key} is that of a file on "
            "the index",
            hint="lock again with hashes (uv pip compile --generate-hashes), and find out why "
            "they differ",
        )
    return dataclasses.replace(package, wheels=wheels, sdist=sdist)
