"""Runs uv to resolve requirements, for one target or for all, and returns its pylock.toml."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import uv
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from wheelferry_bundler.build.build_python import interpreter_for
from wheelferry_bundler.fetch.certificates import uv_certificates
from wheelferry_bundler.fetch.logins import Logins
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.locked import LockedSet, PackageKey
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.urls import redacted
from wheelferry_bundler.read.toml_tables import parse_toml
from wheelferry_bundler.select.patch_releases import Patches, own_patch, settle
from wheelferry_bundler.select.platforms import parse_platform, uv_platform
from wheelferry_bundler.select.python_releases import newest_patch
from wheelferry_schemas.errors import (
    BuildError,
    MalformedError,
    TransferError,
    UnfitError,
    WheelferryError,
)
from wheelferry_schemas.target import Target

_NEWEST_PATCH = 99
"""Represents all future patch releases."""
_WORKERS = min(4, os.cpu_count() or 1)
_SHOWN_LINES = 20
_CONNECTIONS = "4"
"""uv's default is 50. Small servers queue 5 and drop the others, which retry after seconds."""
_LOGIN_HINT = (
    "an index asks for a login: put it into ~/.netrc or UV_INDEX_<NAME>_USERNAME and "
    "UV_INDEX_<NAME>_PASSWORD"
)
_UV_HINT = "reinstall it: pip install --force-reinstall uv"
_UV_ANSWERS = (0, 1, 2)
_FAMILIES: tuple[tuple[re.Pattern[str], type[WheelferryError], str], ...] = (
    (
        re.compile(r"\b40[137] (Unauthorized|Forbidden|Proxy)|authentication credentials"),
        TransferError,
        _LOGIN_HINT,
    ),
    (
        re.compile(r"error: No solution found"),
        UnfitError,
        "uv's message above is about the target, not about this host",
    ),
    (
        re.compile(r"error: Failed to initialize cache|\(os error (5|13|28|30|122)\)"),
        TransferError,
        "see above: a disk or a folder of this host cannot be used; UV_CACHE_DIR names uv's cache",
    ),
    (
        re.compile(r"Request failed|error sending request|HTTP status|Git operation failed"),
        TransferError,
        "check the network, the index and the proxy, and run this again",
    ),
    (
        re.compile(r"error: (Failed to (build|download|resolve requirements)|The build backend)"),
        BuildError,
        "pass a folder that has a wheel of it with --find-links",
    ),
)
"""uv's messages with the error family and the hint; the first match counts."""
_UNWANTED = ("UV_FROZEN", "UV_LOCKED", "UV_SYSTEM_PYTHON", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True, kw_only=True)
class UvQuestion:
    """A question to uv: requirements as the text of a file, or file names and flags.

    Relative paths start at `folder`. With `closed`, the requirements are complete, and uv only
    looks up their files. `about` is their name in messages.
    """

    about: str
    folder: Path
    text: str | None = None
    constraints: str = ""
    arguments: Sequence[str] = ()
    closed: bool = False
    prereleases: bool = False
    options: BuildOptions = field(default_factory=BuildOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A pylock.toml, the patch releases of Python that it is valid for, and notes for the user."""

    lock: bytes
    requires_python: SpecifierSet | None = None
    notes: tuple[str, ...] = ()

    def narrowed(self, locked: LockedSet, stated: SpecifierSet | None = None) -> LockedSet:
        """Return the lock as read, narrowed to the patch releases that it is valid for.

        The lock itself only states the release that uv was run for. `stated` is the specifier of
        the requirements.
        """
        requires = [str(specifier) for specifier in (self.requires_python, stated) if specifier]
        return replace(
            locked,
            requires_python=SpecifierSet(",".join(requires)) if requires else None,
            notes=(*locked.notes, *self.notes),
        )


def resolve(question: UvQuestion, target: Target) -> Resolved:
    """Resolve requirements for a target.

    Raises `UnfitError` where nothing satisfies the requirements, or where the result depends on a
    patch release of Python that the target does not state; `TransferError` where an index cannot
    be reached, `BuildError` where a source has to be built for its metadata and that fails,
    `MalformedError` where uv does not understand the requirements.
    """
    minor = target.markers.python_version
    own = own_patch(target)
    assert own is not None

    def at(patch: int) -> bytes:
        return _compile_for(question, target, f"{minor}.{patch}")

    with ThreadPoolExecutor(_WORKERS) as pool:
        oldest, newest = pool.map(at, (0, _NEWEST_PATCH))
        if _packages(oldest) == _packages(newest):
            return Resolved(lock=oldest)
        released = range(1, newest_patch(target.python[1]) + 1)
        locks = [oldest, *pool.map(at, released)]
    needs = {Patches(minor, patch, patch): _packages(lock) for patch, lock in enumerate(locks)}
    needs[Patches(minor, len(locks), None)] = _packages(newest)
    settled = settle(target, own, needs)
    return Resolved(
        lock=locks[own] if own < len(locks) else newest,
        requires_python=SpecifierSet(settled.requires_python),
        notes=(settled.note,) if settled.note else (),
    )


def resolve_for_all(question: UvQuestion, targets: Sequence[Target]) -> bytes:
    """Return one pylock.toml for several targets, with markers; raises as `resolve`.

    For what is not pinned, uv may choose other versions than for each target alone.
    """
    oldest = min(targets, key=lambda target: Version(target.markers.python_full_version))
    # For all patch releases: uv writes their differences as markers.
    version = f"{oldest.markers.python_version}.0"
    return _compile(question, oldest, ("--universal", "--python-version", version), "for all")


def _compile_for(question: UvQuestion, target: Target, python: str) -> bytes:
    platform = uv_platform(parse_platform(target.platforms[0]))
    asked = ("--python-platform", platform, "--python-version", python)
    return _compile(question, target, asked, f"for {target.id}")


def _compile(question: UvQuestion, target: Target, asked: Sequence[str], purpose: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(question.constraints, encoding="utf-8")
        arguments = [
            *("pip", "compile", "--format", "pylock.toml", "--no-header", "--quiet"),
            *("--python", str(interpreter_for(target).path)),
            *asked,
            *(("--no-deps",) if question.closed else ()),
            *(("--prerelease", "allow") if question.prereleases else ()),
            *(("--no-build",) if question.options.no_build else ()),
            *(f"--only-binary={name}" for name in sorted(question.options.no_build_packages)),
            *(
                f"--find-links={folder.path.resolve()}"
                for folder in question.options.locations.folders
            ),
            *(("--constraints", str(constraints)) if question.constraints else ()),
            *question.arguments,
            *(("-",) if question.text is not None else ()),
        ]
        return _run(arguments, question, purpose)


def _packages(lock: bytes) -> frozenset[PackageKey]:
    """Return the packages of a lock; nothing else in it depends on the patch release."""
    return frozenset(
        PackageKey(name=package.text("name"), version=package.optional_text("version"), source="")
        for package in parse_toml(lock, "pylock.toml").tables("packages")
    )


def export_script(question: UvQuestion, target: Target) -> bytes:
    """Return the pylock.toml of a script (PEP 723) for all platforms; raises as `resolve`."""
    arguments = [
        *("export", "--format", "pylock.toml", "--no-header", "--quiet"),
        *("--python", str(interpreter_for(target).path)),
        *(("--no-build",) if question.options.no_build else ()),
        *(f"--no-build-package={name}" for name in sorted(question.options.no_build_packages)),
        *(f"--find-links={folder.path.resolve()}" for folder in question.options.locations.folders),
        *question.arguments,
    ]
    return _run(arguments, question, "for its lock")


@functools.cache
def find_uv() -> str:
    """Return the path of uv; raises `WheelferryError` where it is missing.

    The first call imports modules, so it must not be made in a thread.
    """
    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise WheelferryError("uv cannot be run: it is not installed", hint=_UV_HINT) from error


def run_uv(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], text: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run uv in `folder` with `text` as input; raises `WheelferryError` where it cannot be run."""
    path = find_uv()
    try:
        run = subprocess.run(
            [path, *arguments],
            input=text.encode(),
            capture_output=True,
            cwd=folder,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise WheelferryError(
            f"uv cannot be run: {path}: {error.strerror or error}", hint=_UV_HINT
        ) from error
    if run.returncode not in _UV_ANSWERS:
        said = redacted(run.stderr.decode(errors="replace")).strip().splitlines()
        how = f"signal {-run.returncode}" if run.returncode < 0 else f"exit code {run.returncode}"
        raise WheelferryError(
            f"uv ended with {how} and gave no result",
            details=said[-_SHOWN_LINES:],
            hint="check whether this host ran out of memory (dmesg), or reinstall uv",
        )
    return run


def _run(arguments: Sequence[str], question: UvQuestion, purpose: str) -> bytes:
    environment = uv_environment(question.options.locations)
    run = run_uv(arguments, question.folder, environment, question.text or "")
    if run.returncode == 0:
        return run.stdout
    raise _failure(question, purpose, redacted(run.stderr.decode(errors="replace")).strip())


def _failure(question: UvQuestion, purpose: str, said: str) -> WheelferryError:
    """Return the error for uv's output; its exit codes do not distinguish enough."""
    lines = said.splitlines()[-_SHOWN_LINES:]
    message = f"uv could not resolve {question.about} {purpose}"
    for pattern, kind, hint in _FAMILIES:
        if pattern.search(said):
            return kind(message, details=lines, hint=hint)
    return MalformedError(message, details=lines, hint=f"correct {question.about}")


def uv_environment(locations: Locations) -> dict[str, str]:
    """Return uv's environment, which contains the mirrors: other users cannot read it."""
    environment = {name: os.environ[name] for name in os.environ if name not in _UNWANTED}
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", **uv_certificates()}
    environment.setdefault("UV_CONCURRENT_DOWNLOADS", _CONNECTIONS)
    if locations.mirrors:
        logins = Logins(locations.indexes)
        first, *others = map(logins.added_to, locations.mirrors)
        environment["UV_DEFAULT_INDEX"] = first
        environment.pop("UV_INDEX_URL", None)
        environment["UV_INDEX"] = " ".join((*others, environment.get("UV_INDEX", ""))).strip()
    return environment
