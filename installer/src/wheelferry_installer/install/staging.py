"""Fills a staging folder: wheels, compiled modules, and the receipt of what was installed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wheelferry_installer.install import worker_process
from wheelferry_installer.install.wheel_workers import InstallPaths, Outcome, Task
from wheelferry_installer.plan.fitting import Fit
from wheelferry_installer.system.digests import file_digest
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_schemas import __version__, receipt
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import Package
from wheelferry_schemas.display import printable
from wheelferry_schemas.errors import MalformedError, raise_together
from wheelferry_schemas.fields import format_timestamp
from wheelferry_schemas.host_rules.file_names import colliding
from wheelferry_schemas.receipt import InstalledFile, InstalledLink, InstalledPackage, Receipt


def install_wheels(
    bundle: VerifiedBundle,
    packages: Iterable[Package],
    where: InstallPaths,
    on_progress: Callable[[str, int], None],
) -> list[Outcome]:
    """Install these packages and check every other member; raises all problems as one error."""
    wheels = {layout.wheel_name(package.wheel): package for package in packages}
    tasks = [
        Task(
            member=member,
            distribution=wheels[member.name].name if member.name in wheels else None,
            requested=member.name in wheels and wheels[member.name].name in bundle.manifest.roots,
        )
        for member in bundle.members
    ]
    outcomes = worker_process.run(
        bundle,
        tasks,
        where,
        lambda outcome: on_progress(outcome.task.member.name, outcome.task.member.size),
    )
    bundle.check_end()
    problems = [outcome.problem for outcome in outcomes if outcome.problem is not None]
    raise_together(problems, f"{len(problems)} members of the bundle cannot be installed")
    return outcomes


def judge_contested(staging: Path, outcomes: Sequence[Outcome]) -> list[str]:
    """Return a warning for each file that two wheels share; raise `MalformedError` if they differ.

    Names that differ only in case or in Unicode normalization count as one: they are one file on
    other file systems.
    """
    warnings, problems = [], []
    for outcome in outcomes:
        for path, sha256 in outcome.contested.items():
            wheel = outcome.task.member.name
            if not (staging / path).exists():
                problems.append(f"{path} of {wheel} is blocked by a file of another wheel")
            elif file_digest(staging / path) == bytes.fromhex(sha256):
                warnings.append(
                    f"{path} comes from {wheel} and another wheel with the same content"
                )
            else:
                problems.append(f"{path} of {wheel} already exists with different content")
    written = {path: outcome.task.member.name for outcome in outcomes for path in outcome.written}
    problems += [
        f"{path} is where wheelferry keeps its own files"
        for path in written
        if path.partition("/")[0].casefold() == receipt.FOLDER
    ]
    problems += [
        f"{one} of {written[one]} and {other} of {written[other]} {why}"
        for one, other, why in colliding(written)
    ]
    if problems:
        raise MalformedError(
            "wheels of the bundle contain the same files",
            details=sorted(problems)[:20],
            hint="they cannot be installed together: ask whoever made the bundle",
        )
    return sorted(warnings)


def modules_below(folder: str, outcomes: Sequence[Outcome]) -> list[str]:
    """Return the modules that were written below a folder of `staging`; `.` is all of it."""
    start = "" if folder == "." else f"{folder}/"
    return [
        path
        for outcome in outcomes
        for path in outcome.written
        if path.startswith(start) and path.endswith(".py")
    ]


def installed_packages(
    packages: Iterable[Package], outcomes: Sequence[Outcome]
) -> tuple[InstalledPackage, ...]:
    """Return what the receipt says of packages that were installed."""
    records = {outcome.task.member.name: outcome.record for outcome in outcomes if outcome.record}
    installed = []
    for package in sorted(packages, key=lambda package: package.name):
        record, sha256 = records[layout.wheel_name(package.wheel)]
        installed.append(
            InstalledPackage(
                name=package.name,
                version=package.version,
                wheel=package.wheel,
                record=record,
                record_sha256=sha256,
                sha256=package.sha256,
            )
        )
    return tuple(installed)


def write_receipt(
    folder: Path,
    bundle: VerifiedBundle,
    fit: Fit,
    packages: tuple[InstalledPackage, ...],
    now: int,
    *,
    compiled: bool,
    files: tuple[InstalledFile, ...] = (),
    links: tuple[InstalledLink, ...] = (),
) -> Receipt:
    """Write manifest, signatures and receipt; the receipt last, since it says 'complete'."""
    (folder / "signatures").mkdir(parents=True)
    (folder / layout.MANIFEST).write_bytes(bundle.manifest_bytes)
    for member in bundle.signature_members:
        (folder / member.name).write_bytes(member.content)
    path = folder / receipt.FILE_NAME
    path.touch()
    written = Receipt(
        format=1,
        generation=uuid.uuid4().hex,
        tool=f"wheelferry {__version__}",
        installed=format_timestamp(now),
        bundle=printable(bundle.path.name),
        bundle_name=bundle.manifest.name,
        bundle_created=bundle.manifest.created,
        manifest_sha256=bundle.sha256,
        target=fit.target.id,
        interpreter=os.fspath(fit.interpreter.base_executable),
        python=fit.interpreter.markers["python_full_version"],
        compiled=compiled,
        signers=tuple(
            f"{signer.name} {signer.fingerprint}"
            for signer in bundle.signers
            if signer.problem is None
        ),
        packages=packages,
        files=files,
        links=links,
        written_ns=path.stat().st_ctime_ns,
    )
    path.write_bytes(receipt.serialize(written))
    return written
