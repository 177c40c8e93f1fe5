"""Assembles an archive: the manifest, and the file or bytes of each member."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.build.building import Built
from wheelferry_bundler.fetch.fetching import Fetched
from wheelferry_bundler.fetch.python_archives import PythonFile
from wheelferry_bundler.fetch.wheel_metadata import read_wheel_metadata
from wheelferry_bundler.model.locked import Artifact, PackageKey
from wheelferry_bundler.select.selection import Chosen, Selection
from wheelferry_bundler.write import documents
from wheelferry_schemas import __version__
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import Document, MadeFrom, Manifest, Package, Source
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.fields import format_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleIdentity:
    """What the bundle is, and when it was made; times are in seconds since the epoch."""

    name: str
    version: str | None
    made_from: MadeFrom
    created: int
    expires: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A manifest, and the content of its members by name."""

    manifest: Manifest
    members: Mapping[str, bytes | Path]


@dataclass(frozen=True, slots=True)
class _Use:
    """A wheel for one target, with its package and, if it was built, the build."""

    target: str
    chosen: Chosen
    wheel: Artifact
    file: Fetched
    built: Built | None


def assemble(
    identity: BundleIdentity,
    selections: Sequence[Selection],
    fetched: Mapping[Artifact, Fetched],
    built: Mapping[tuple[PackageKey, str], Built],
    pythons: Sequence[PythonFile] = (),
) -> Assembly:
    """Return the manifest and members of a bundle.

    `fetched` holds files, `built` wheels by package and target. Raises `UnfitError`
    where two different files have one name, `MalformedError` for what is not a wheel.
    """
    uses = _uses_by_wheel(selections, fetched, built)
    members: dict[str, bytes | Path] = {}
    packages = []
    for wheel, same in sorted(uses.items()):
        members[layout.wheel_name(wheel)] = same[0].file.path
        packages.append(_package(wheel, same))
    roots = sorted({root for selection in selections for root in selection.roots})
    texts = _documents(identity, selections, packages, roots, pythons)
    members.update(texts)
    members.update({layout.python_name(file.archive.name): file.path for file in pythons})
    manifest = Manifest(
        format=1,
        name=identity.name,
        version=identity.version,
        created=format_timestamp(identity.created),
        expires=None if identity.expires is None else format_timestamp(identity.expires),
        tool=f"wheelferry {__version__}",
        made_from=identity.made_from,
        targets=tuple(selection.target for selection in selections),
        roots=tuple(roots),
        packages=tuple(packages),
        documents=tuple(
            Document(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for name, data in sorted(texts.items())
        ),
        pythons=tuple(file.archive for file in pythons),
    )
    return Assembly(manifest=manifest, members=members)


def _uses_by_wheel(
    selections: Sequence[Selection],
    fetched: Mapping[Artifact, Fetched],
    built: Mapping[tuple[PackageKey, str], Built],
) -> Mapping[str, list[_Use]]:
    uses: dict[str, list[_Use]] = {}
    for selection in selections:
        for chosen in selection.chosen:
            own = built[chosen.package.key, selection.target.id] if chosen.wheel is None else None
            wheel = chosen.wheel or (own.wheel if own else None)
            assert wheel is not None
            file = own.file if own else fetched[wheel]
            use = _Use(selection.target.id, chosen, wheel, file, own)
            uses.setdefault(wheel.file_name, []).append(use)
    for wheel_name, same in uses.items():
        if len({use.file.sha256 for use in same}) > 1:
            raise UnfitError(
                f"two different files are called {wheel_name}",
                hint="they come from two indexes: make one bundle for each of their targets",
            )
    return uses


def _package(wheel: str, uses: Sequence[_Use]) -> Package:
    first = uses[0]
    file = first.file
    return Package(
        name=first.chosen.package.name,
        version=first.wheel.name_and_version[1],
        wheel=wheel,
        sha256=file.sha256,
        size=file.size,
        license=read_wheel_metadata(file.path, wheel).license,
        dependencies=tuple(sorted({name for use in uses for name in use.chosen.dependencies})),
        source=_source(first),
        targets=tuple(sorted(use.target for use in uses)),
    )


def _source(use: _Use) -> Source:
    source = use.chosen.package.source
    assert source.kind != "virtual"
    return Source(
        kind=source.kind,
        location=source.location,
        built=use.built is not None,
        built_from=use.built.built_from if use.built else None,
        commit=source.commit,
    )


def _documents(
    identity: BundleIdentity,
    selections: Sequence[Selection],
    packages: Sequence[Package],
    roots: Sequence[str],
    pythons: Sequence[PythonFile],
) -> dict[str, bytes]:
    # The SBOM library takes a third of a second to import, so it is imported late.
    from wheelferry_bundler.write import sbom

    targets = [selection.target for selection in selections]
    archives = [file.archive for file in pythons]
    return {
        **documents.lock_documents(targets, packages),
        layout.SBOM: sbom.make_sbom(
            identity.name, identity.version, identity.created, roots, packages, archives
        ),
    }
