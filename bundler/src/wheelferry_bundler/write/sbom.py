"""Writes the SBOM of a bundle (CycloneDX 1.6, JSON), reproducibly: no random serial, no clock."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import fixup_id, is_expression
from packageurl import PackageURL

from wheelferry_schemas.bundle.manifest import Package, PythonArchive
from wheelferry_schemas.models import canonical_json
from wheelferry_schemas.python_tree import read_release

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "wheelferry.sbom")


def make_sbom(
    name: str,
    version: str | None,
    created: int,
    roots: Sequence[str],
    packages: Sequence[Package],
    pythons: Sequence[PythonArchive] = (),
) -> bytes:
    """Return the SBOM of packages and interpreters; `created` is in seconds since the epoch."""
    main = Component(
        name=name, version=version, type=ComponentType.APPLICATION, bom_ref=f"bundle:{name}"
    )
    components = {package.wheel: _component(package) for package in packages}
    platforms = [_platform(python) for python in pythons]
    files = [(package.wheel, package.sha256) for package in packages]
    files += [(python.name, python.sha256) for python in pythons]
    serial = "\n".join(f"{file} {sha256}" for file, sha256 in files)
    bom = Bom(
        components=[*components.values(), *platforms],
        metadata=BomMetaData(
            component=main, timestamp=datetime.fromtimestamp(created, tz=timezone.utc)
        ),
        serial_number=uuid.uuid5(_NAMESPACE, f"{name}\n{created}\n{serial}"),
        dependencies=[
            Dependency(
                main.bom_ref,
                [
                    *_references(_tops(roots, packages), packages, components),
                    *(Dependency(platform.bom_ref) for platform in platforms),
                ],
            ),
            *(
                Dependency(
                    components[package.wheel].bom_ref,
                    _references(package.dependencies, _beside(package, packages), components),
                )
                for package in packages
            ),
            *(Dependency(platform.bom_ref) for platform in platforms),
        ],
    )
    return canonical_json(json.loads(JsonV1Dot6(bom).output_as_string()))


def _component(package: Package) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"wheel:{package.wheel}",
        purl=PackageURL(
            "pypi",
            name=package.name,
            version=package.version,
            qualifiers={"file_name": package.wheel},
        ),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=package.sha256)],
        licenses=[_license(package.license)] if package.license else [],
        properties=[
            Property(name="wheelferry:source", value=package.source.kind),
            Property(name="wheelferry:built", value=str(package.source.built).lower()),
            *(Property(name="wheelferry:target", value=target) for target in package.targets),
        ],
    )


def _platform(python: PythonArchive) -> Component:
    """Return an interpreter's component; only python-build-standalone names state a version."""
    release = read_release(python.name)
    version = release.version if release else None
    return Component(
        name="cpython",
        version=version,
        type=ComponentType.PLATFORM,
        bom_ref=f"python:{python.name}",
        purl=PackageURL(
            "generic", name="cpython", version=version, qualifiers={"file_name": python.name}
        ),
        # Vulnerabilities of the interpreter are published under this name.
        cpe=f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*" if version else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=python.sha256)],
        properties=[Property(name="wheelferry:target", value=target) for target in python.targets],
    )


def _license(text: str) -> License:
    if spdx_id := fixup_id(text):
        return DisjunctiveLicense(id=spdx_id)
    return LicenseExpression(text) if is_expression(text) else DisjunctiveLicense(name=text)


def _tops(roots: Sequence[str], packages: Sequence[Package]) -> Sequence[str]:
    """Return the direct dependencies of the bundle.

    If the roots are not included (a project that is not installed), these are the packages that no
    other one requires.
    """
    names = {package.name for package in packages}
    if names.isdisjoint(roots):
        asked_for = {name for package in packages for name in package.dependencies}
        return sorted(names - asked_for or names)
    return roots


def _beside(package: Package, packages: Sequence[Package]) -> list[Package]:
    """Return the packages that share a target with this one."""
    return [other for other in packages if not set(package.targets).isdisjoint(other.targets)]


def _references(
    names: Sequence[str], packages: Sequence[Package], components: dict[str, Component]
) -> list[Dependency]:
    return [
        Dependency(components[package.wheel].bom_ref)
        for package in packages
        if package.name in names
    ]
