"""Copies source to add build requirements to it.

pip has no other way to add a requirement to the isolated environment of a build.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import tomli_w

from wheelferry_bundler.fetch.fetching import Fetched
from wheelferry_bundler.model.locked import Artifact, LockedPackage
from wheelferry_bundler.read.toml_tables import read_toml
from wheelferry_schemas.errors import BuildError

LEGACY_REQUIRES = ("setuptools>=40.8.0",)
LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
"""The default build system (PEP 518)."""


def named_archive(
    package: LockedPackage, sources: Mapping[Artifact, Fetched], folder: Path
) -> Path:
    """Return a copy of a source archive under its own name; raises `BuildError` without one."""
    if package.sdist is None:
        raise BuildError(
            f"the lock names no source archive of {package.key}", hint="lock the project again"
        )
    # pip recognizes an archive by its name, which the cache does not keep.
    archive = folder / package.sdist.file_name
    shutil.copyfile(sources[package.sdist].path, archive)
    return archive


def extended_copy(
    package: LockedPackage, sources: Mapping[Artifact, Fetched], folder: Path
) -> Path:
    """Return a copy of a package's source with its `build_requires` added.

    Raises `BuildError` where the source is a git commit or an unreadable archive.
    """
    source, copy = package.source, folder / "source"
    if source.kind == "directory" and source.path is not None:
        shutil.copytree(source.path, copy, symlinks=True, ignore=_environments)
    elif source.kind == "git":
        raise BuildError(
            f"extra-build-dependencies are not supported for {package.key}, which is a git commit",
            hint="build its wheel with uv, and pass the folder that it is in with --find-links",
        )
    else:
        copy = _extracted(named_archive(package, sources, folder), copy, package)
    copy /= source.subdirectory or ""
    path = copy / "pyproject.toml"
    project = dict(read_toml(path).data) if path.is_file() else {}
    system = {
        "requires": list(LEGACY_REQUIRES),
        "build-backend": LEGACY_BACKEND,
        **project.get("build-system", {}),
    }
    system["requires"] = [*system["requires"], *package.build_requires]
    project["build-system"] = system
    path.write_text(tomli_w.dumps(project), encoding="utf-8")
    return copy


def _environments(folder: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if Path(folder, name, "pyvenv.cfg").exists()]


def _extracted(archive: Path, folder: Path, package: LockedPackage) -> Path:
    """Unpack a source archive, and return the only folder in it."""
    folder.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                # It removes parts of names that would lead out of the folder.
                opened.extractall(folder)  # noqa: S202
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
    except (OSError, EOFError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise BuildError(f"the source archive of {package.key} cannot be read: {error}") from error
    except TypeError as error:
        raise BuildError(
            "extra-build-dependencies need tarfile.data_filter, which this Python lacks",
            hint="run this with Python 3.12 or newer",
        ) from error
    roots = [entry for entry in folder.iterdir() if entry.is_dir()]
    if len(roots) != 1:
        raise BuildError(f"the source archive of {package.key} holds {len(roots)} folders, not one")
    return roots[0]
