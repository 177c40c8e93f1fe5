"""Reads what exists where a bundle is to be installed, so that planning needs no disk.

A receipt proves nothing by itself: whoever can write to the environment can write one. So the
evidence against it is read as well.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.environment import vouching
from wheelferry_installer.environment.distributions import Distribution, distributions, is_editable
from wheelferry_installer.environment.inspection import Findings, inspect
from wheelferry_installer.environment.receipts import read_receipt, read_receipt_in
from wheelferry_installer.system import own_folder
from wheelferry_schemas.errors import ConflictError
from wheelferry_schemas.host_rules.writers import Doubt
from wheelferry_schemas.receipt import FOLDER, Receipt

if TYPE_CHECKING:
    from wheelferry_installer.host.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What supports or contradicts the receipt of an environment.

    `foreign` says why others may have written to it, None if they cannot. `manifest` is the one
    stored in it, empty if there is none.
    """

    foreign: Doubt | None
    manifest: bytes
    findings: Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentEnvironment:
    """What exists where an environment is to be.

    `receipt` is None if nothing exists. `evidence` is read only if the receipt names the expected
    manifest.
    """

    path: Path
    receipt: Receipt | None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentPlace:
    """What is installed in a tree that wheelferry did not make.

    `editable` distributions only point at a project's sources. `runs_this` says that the running
    wheelferry is installed there.
    """

    receipt: Receipt | None
    distributions: tuple[Distribution, ...]
    editable: frozenset[Distribution]
    runs_this: bool


def present_in(environment: Path, manifest_sha256: str | None = None) -> PresentEnvironment:
    """Return what exists at `environment`, with evidence if its receipt names that manifest.

    Raises `ConflictError` if wheelferry did not make it, or if it belongs to another user; root may
    replace other users' environments.
    """
    path = Path(os.path.abspath(environment))
    receipt = _receipt_at(path)
    evidence = None
    if receipt is not None and receipt.manifest_sha256 == manifest_sha256:
        evidence = Evidence(
            foreign=own_folder.why_foreign(path.lstat()),
            manifest=vouching.stored_manifest(path / FOLDER),
            findings=inspect(path, receipt, thorough=False),
        )
    return PresentEnvironment(path=path, receipt=receipt, evidence=evidence)


def present_at(place: Place) -> PresentPlace:
    """Return what is installed in a place."""
    found = distributions(place.root, place.libraries)
    return PresentPlace(
        receipt=read_receipt_in(place.root / place.receipts),
        distributions=found,
        editable=frozenset(one for one in found if is_editable(place.root, one)),
        runs_this=Path(os.path.realpath(sys.prefix)) == place.root,
    )


def _receipt_at(environment: Path) -> Receipt | None:
    try:
        status = environment.lstat()
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise ConflictError(
            f"{environment} is below something that is not a folder",
            hint="choose another place with --venv",
        ) from error
    if not stat.S_ISDIR(status.st_mode):
        raise ConflictError(
            f"{environment} already exists and is not a folder",
            hint="move it away, or choose another place with --venv",
        )
    receipt = read_receipt(environment)
    if receipt is None and any(environment.iterdir()):
        raise ConflictError(
            f"{environment} already exists and was not made by wheelferry",
            hint="move it away, choose another place with --venv, or add to it with --into",
        )
    if receipt is not None and hasattr(os, "geteuid") and os.geteuid() not in (0, status.st_uid):
        own_folder.refuse_foreign(environment, status)
    return receipt
