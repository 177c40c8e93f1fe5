"""Makes a copy of a uv project whose lock finds everything in an unpacked bundle.

The copy is what `uv sync --frozen` reads: uv.lock, relocated, and the pyproject.toml of the project
and of the members of its workspace, byte by byte. A uv.toml beside them makes the folder of wheels
the only index, also for build requirements.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import tomli_w
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelferry_installer.unpack import lock_needs, project_lock
from wheelferry_installer.unpack.lock_needs import Flags
from wheelferry_installer.unpack.project_lock import Key
from wheelferry_installer.unpack.relocated_lock import Relocated, relocate
from wheelferry_installer.unpack.toml_text import parse_toml, table, tables, texts
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.errors import MalformedError, UnfitError, UsageError
from wheelferry_schemas.target import Target

LOCK = "uv.lock"
_PROJECT = "pyproject.toml"
_COPIED = (_PROJECT, ".python-version")
_SETTINGS = "uv.toml"
_LEGACY = ("setuptools",)
"""What builds a project that does not say (PEP 518)."""
_LOCAL_LEFT_OUT = ("--no-install-project", "--no-install-workspace", "--no-install-local")


@dataclass(frozen=True, slots=True, kw_only=True)
class UvProject:
    """A project folder with its uv.lock."""

    folder: Path
    data: bytes
    lock: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> UvProject:
        """Read the lock in `folder`; raises `UsageError`, `MalformedError`."""
        path = folder / LOCK
        if not path.is_file():
            raise UsageError(
                f"{folder} has no uv.lock", hint="name the folder of the project, with its uv.lock"
            )
        data = path.read_bytes()
        return cls(folder=folder, data=data, lock=project_lock.read_uv_lock(data))

    @property
    def sha256(self) -> str:
        """The hash of the lock."""
        return hashlib.sha256(self.data).hexdigest()

    def files(self) -> dict[str, bytes]:
        """Return what uv reads besides the lock, by relative path."""
        folders = {
            ".",
            *(project_lock.local_folder(m) or "." for m in project_lock.members(self.lock)),
        }
        found = {}
        for folder in sorted(folders):
            if not _is_inside(folder):
                continue
            for name in _COPIED:
                path = self.folder / folder / name
                if path.is_file():
                    found[(PurePosixPath(folder) / name).as_posix()] = path.read_bytes()
        if _PROJECT not in found:
            raise UsageError(f"{self.folder} has no {_PROJECT}", hint="is this the right folder?")
        return found

    def default_groups(self) -> frozenset[str] | None:
        """Return the default groups, None for all."""
        project = parse_toml((self.folder / _PROJECT).read_bytes(), _PROJECT)
        uv = table(table(project, "tool"), "uv")
        if "default-groups" not in uv:
            return lock_needs.DEV
        if uv["default-groups"] == "all":
            return None
        return frozenset(map(canonicalize_name, texts(uv, "default-groups")))

    def editable_folders(self, manifest: Manifest) -> dict[str, Path]:
        """Return the folders for editable installations, by package name.

        Raises `UnfitError` that names all build requirements that the bundle lacks.
        """
        names = {package.name for package in manifest.packages}
        folders: dict[str, Path] = {}
        lacking = []
        for package in tables(self.lock, "package"):
            path = self.folder / str(package["source"].get("editable", ""))
            if "editable" in package["source"] and path.is_dir():
                name = canonicalize_name(package["name"])
                folders[name] = path
                lacking += [
                    f"{name} is built with {required}"
                    for required in _build_requirements(path, manifest.targets)
                    if canonicalize_name(required) not in names
                ]
        if lacking:
            raise UnfitError(
                "the bundle lacks build requirements of an editable installation",
                details=lacking,
                hint="ask for a bundle made with --with-build-deps, or leave --editable out",
            )
        return folders

    def relocated(
        self, manifest: Manifest, wheels: Path, place: Path, *, editable: bool
    ) -> Relocated:
        """Return the lock for the folder `place` that takes wheels from `wheels`.

        Raises `UnfitError` that names all packages of the lock that the bundle lacks.
        """
        folders: dict[str, Path] = {}
        if editable:
            folders = self.editable_folders(manifest)
        same = self.sha256 == manifest.made_from.sha256
        relocated = relocate(
            self.lock,
            manifest,
            _relative(wheels, place),
            editable={name: _relative(folder, place) for name, folder in folders.items()},
            trusted=same,
        )
        if not same:
            self._refuse_lacking(manifest, relocated.found, frozenset(folders))
        return relocated

    def _refuse_lacking(
        self, manifest: Manifest, found: frozenset[Key], editable: frozenset[str]
    ) -> None:
        flags = Flags(options=manifest.made_from.options, default_groups=self.default_groups())
        at_hand = found | {
            key
            for key, package in ((project_lock.key(p), p) for p in tables(self.lock, "package"))
            if key[0] in editable or _needs_no_wheel(package, flags)
        }
        lacking: dict[str, list[str]] = {}
        for target in manifest.targets:
            for name, keys in lock_needs.needed(self.lock, target, flags).items():
                if at_hand.isdisjoint(keys):
                    versions = " or ".join(sorted({key[1] or "?" for key in keys}))
                    lacking.setdefault(f"{name} {versions}", []).append(target.id)
        if lacking:
            raise UnfitError(
                "the bundle lacks packages of the lock",
                details=[
                    f"{what} for {', '.join(targets)}" for what, targets in sorted(lacking.items())
                ],
                hint="ask for a bundle made from this uv.lock: its sha256 is " + self.sha256,
            )


def settings(wheels: str) -> dict[str, bytes]:
    """Return a uv.toml that makes a folder of wheels the only source of packages."""
    return {_SETTINGS: tomli_w.dumps({"no-index": True, "find-links": [wheels]}).encode()}


def command(folder: Path, manifest: Manifest, places: Iterable[str] = ()) -> str:
    """Return the command with which uv creates the environment in `folder`."""
    pythons = {_python(target) for target in manifest.targets}
    only = ["--python", pythons.pop()] if len(pythons) == 1 else []
    flags = lock_needs.uv_flags(manifest.made_from.options)
    sync = ["uv", "sync", "--frozen", "--offline", *places, *only, *flags]
    return f"cd {shlex.quote(os.fspath(folder))} && {shlex.join(sync)}"


def _python(target: Target) -> str:
    free_threaded = "t" if target.abis[0].endswith("t") else ""
    return f"{target.markers.python_version}{free_threaded}"


def _needs_no_wheel(package: dict[str, Any], flags: Flags) -> bool:
    """Return whether a folder of the project needs no wheel: it is virtual, or left out."""
    folder = project_lock.local_folder(package)
    return folder is not None and (
        "virtual" in package["source"] or any(option in _LOCAL_LEFT_OUT for option in flags.options)
    )


def _is_inside(folder: str) -> bool:
    parts = PurePosixPath(folder)
    return not parts.is_absolute() and ".." not in parts.parts and ":" not in folder


def _relative(path: Path, start: Path) -> str:
    """Return a path relative to a folder if possible, as uv writes it."""
    try:
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(start))
    except ValueError:
        # On another drive (Windows).
        relative = os.path.realpath(path)
    return relative.replace(os.sep, "/")


def _build_requirements(folder: Path, targets: Sequence[Target]) -> list[str]:
    """Return the names of the build requirements on any of the targets."""
    path = folder / _PROJECT
    project = parse_toml(path.read_bytes(), _PROJECT) if path.is_file() else {}
    system = table(project, "build-system")
    names = []
    for text in texts(system, "requires") if "requires" in system else _LEGACY:
        try:
            required = Requirement(text)
        except InvalidRequirement as error:
            raise MalformedError(f"{path}: build-system requires {text!r}: {error}") from error
        marker = required.marker
        if marker is None or any(marker.evaluate(t.markers.plain()) for t in targets):
            names.append(required.name)
    return names
