"""Writes the documents of a bundle for pip, uv and people without wheelferry.

There are a pylock.toml (PEP 751) and a requirements.txt per target, named after it if there are
several, and an SBOM. All refer to `wheels/` beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import tomli_w
from packaging.pylock import Package as LockPackage
from packaging.pylock import PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelferry_schemas.bundle.layout import pylock_name, requirements_name, wheel_name
from wheelferry_schemas.bundle.manifest import Package
from wheelferry_schemas.target import Target


def lock_documents(targets: Sequence[Target], packages: Sequence[Package]) -> dict[str, bytes]:
    """Return the pylock and requirements files by name."""
    documents = {}
    alone = len(targets) == 1
    for target in targets:
        mine = [package for package in packages if target.id in package.targets]
        mine.sort(key=lambda package: package.name)
        name = requirements_name(target.id, alone=alone)
        documents[pylock_name(target.id, alone=alone)] = _pylock(target, mine)
        documents[name] = _requirements(target, mine, name)
    return documents


def _pylock(target: Target, packages: Sequence[Package]) -> bytes:
    lock = Pylock(
        lock_version=Version("1.0"),
        requires_python=SpecifierSet(target.requires_python),
        created_by="wheelferry",
        packages=[
            LockPackage(
                name=canonicalize_name(package.name),
                version=Version(package.version),
                wheels=[
                    PackageWheel(
                        name=package.wheel,
                        path=wheel_name(package.wheel),
                        size=package.size,
                        hashes={"sha256": package.sha256},
                    )
                ],
            )
            for package in packages
        ],
    )
    return tomli_w.dumps(dict(lock.to_dict())).encode()


def _requirements(target: Target, packages: Sequence[Package], name: str) -> bytes:
    how = f"# {target.id}: pip install --no-index --find-links wheels --require-hashes -r {name}"
    pins = (f"{p.name}=={p.version} \\\n    --hash=sha256:{p.sha256}" for p in packages)
    return "\n".join((how, *pins, "")).encode()
