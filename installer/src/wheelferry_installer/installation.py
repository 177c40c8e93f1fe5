"""Installs a planned bundle as one transaction: build beside, check, move in."""

from __future__ import annotations

import hashlib
import os
import subprocess
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from wheelferry_installer import wheel_workers
from wheelferry_installer.planning import Plan
from wheelferry_installer.transaction import locked
from wheelferry_installer.wheel_workers import Layout, Outcome, Task
from wheelferry_schemas import __version__, layout, receipt
from wheelferry_schemas.errors import (
    MalformedError,
    TamperedError,
    TransferError,
    WheelferryError,
)
from wheelferry_schemas.manifest import format_timestamp
from wheelferry_schemas.receipt import InstalledFile, InstalledPackage, Receipt

_TIMEOUT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An environment that is in place. `changed` is False where it was so before."""

    plan: Plan
    receipt: Receipt
    changed: bool
    warnings: tuple[str, ...] = ()


def install(
    plan: Plan, now: int, on_progress: Callable[[str, int], None], *, sync: bool = True
) -> Installed:
    """Install a plan; `now` is in seconds since the epoch.

    `on_progress` is called with a member's name and size when it is done. Raises
    `WheelferryError`; then the environment is as it was.
    """
    if plan.up_to_date and plan.present is not None:
        return Installed(plan=plan, receipt=plan.present, changed=False)
    try:
        with locked(plan.environment) as managed:
            managed.staging.mkdir()
            _make_venv(plan, managed.staging)
            skeleton = _files_in(managed.staging)
            outcomes = _install_wheels(plan, managed.staging, on_progress)
            warnings = _judge_contested(managed.staging, outcomes)
            if plan.compile_bytecode:
                _compile(plan, managed.staging)
            written = _write_receipt(plan, managed.staging, skeleton, outcomes, now)
            managed.commit(written.generation, sync=sync)
    except OSError as error:
        raise TransferError(
            f"{plan.environment} could not be written: {error.strerror or error}",
            hint="the environment is as it was; free space or check the rights, and try again",
        ) from error
    return Installed(plan=plan, receipt=written, changed=True, warnings=tuple(warnings))


def _make_venv(plan: Plan, staging: Path) -> None:
    final = plan.environment
    name = plan.bundle.manifest.name
    prompt = name if final.name in (".venv", "venv") else final.name
    script = (files("wheelferry_installer") / "make_venv.py").read_text(encoding="utf-8")
    interpreter = plan.fit.interpreter.base_executable
    _run_python(interpreter, ["-c", script, str(staging), str(final), prompt], "make environments")
    (staging / ".gitignore").write_text("*\n", encoding="ascii")


def _run_python(interpreter: Path, arguments: Sequence[str], what: str) -> None:
    run = subprocess.run(
        [os.fspath(interpreter), "-I", *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=_TIMEOUT,
    )
    if run.returncode != 0:
        said = (run.stderr + run.stdout).decode(errors="replace").strip().splitlines()
        raise WheelferryError(
            f"{interpreter} could not {what}",
            details=said[-10:],
            hint="on Debian and Ubuntu the package python3-venv may be missing",
        )


def _install_wheels(
    plan: Plan, staging: Path, on_progress: Callable[[str, int], None]
) -> list[Outcome]:
    """Install this target's wheels and check every other member; raises all problems as one."""
    bundle = plan.bundle
    wheels = {layout.wheel_name(package.wheel): package for package in plan.packages}
    tasks = [
        Task(
            member=member,
            distribution=wheels[member.name].name if member.name in wheels else None,
            requested=member.name in wheels and wheels[member.name].name in bundle.manifest.roots,
        )
        for member in bundle.members
    ]
    paths = dict(plan.fit.interpreter.paths)
    python = "python.exe" if os.name == "nt" else "python"
    outcomes = wheel_workers.run(
        bundle,
        tasks,
        Layout(
            staging=staging,
            schemes=paths,
            headers=f"include/site/python{plan.fit.interpreter.markers['python_version']}",
            interpreter=os.fspath(plan.environment / paths["scripts"] / python),
        ),
        lambda outcome: on_progress(outcome.task.member.name, outcome.task.member.size),
    )
    bundle.check_end()
    _raise_all([outcome.problem for outcome in outcomes if outcome.problem is not None])
    return outcomes


def _raise_all(problems: list[WheelferryError]) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        # The gravest family speaks for all: tampering outweighs bad wheels, those a full disk.
        for kind in (TamperedError, MalformedError, WheelferryError):
            gravest = next((p for p in problems if isinstance(p, kind)), None)
            if gravest is not None:
                break
        assert gravest is not None
        error = type(gravest)(
            f"{len(problems)} members of the bundle cannot be installed",
            details=[line for problem in problems for line in str(problem).splitlines()],
        )
        error.hint = gravest.hint
        raise error


def _judge_contested(staging: Path, outcomes: Sequence[Outcome]) -> list[str]:
    """Say which files two wheels write: the same bytes are a warning, others an error.

    Names that differ only in case or in Unicode normalization count as one: they are one file on
    other file systems. Raises `MalformedError`.
    """
    warnings, problems = [], []
    for outcome in outcomes:
        for path, sha256 in outcome.contested.items():
            wheel = outcome.task.member.name
            if _sha256(staging / path) == sha256:
                warnings.append(
                    f"{path} comes from {wheel} and another wheel, with the same content"
                )
            else:
                problems.append(f"{path} of {wheel} is there already, with another content")
    problems += _colliding(path for outcome in outcomes for path in outcome.written)
    if problems:
        raise MalformedError(
            "wheels of the bundle write the same files",
            details=sorted(problems)[:20],
            hint="they cannot be installed together: ask whoever made the bundle",
        )
    return sorted(warnings)


def _colliding(paths: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    problems = []
    for path in paths:
        key = path.casefold() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
        other = seen.setdefault(key, path)
        if other != path:
            problems.append(f"{path} and {other} are one file on some file systems")
    return problems


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _compile(plan: Plan, staging: Path) -> None:
    """Compile all modules with the environment's Python; what does not compile stays as it is."""
    # compileall's exit code tells of single files that are not meant for this Python.
    subprocess.run(
        [
            *(os.fspath(plan.fit.interpreter.base_executable), "-I", "-m", "compileall", "-qq"),
            *("-j", "0", "-s", str(staging), "-p", str(plan.environment)),
            str(staging / plan.fit.interpreter.paths["purelib"]),
        ],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _files_in(folder: Path) -> tuple[InstalledFile, ...]:
    return tuple(
        InstalledFile(path=path.relative_to(folder).as_posix(), sha256=_sha256(path) or "")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    )


def _installed_packages(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[InstalledPackage, ...]:
    records = {outcome.task.member.name: outcome.record for outcome in outcomes if outcome.record}
    packages = []
    for package in sorted(plan.packages, key=lambda package: package.name):
        record, sha256 = records[layout.wheel_name(package.wheel)]
        packages.append(
            InstalledPackage(
                name=package.name,
                version=package.version,
                wheel=package.wheel,
                record=record,
                record_sha256=sha256,
            )
        )
    return tuple(packages)


def _write_receipt(
    plan: Plan,
    staging: Path,
    skeleton: tuple[InstalledFile, ...],
    outcomes: Sequence[Outcome],
    now: int,
) -> Receipt:
    """Write manifest, signatures and receipt; the receipt last, since it says 'complete'."""
    folder = staging / receipt.FOLDER
    (folder / "signatures").mkdir(parents=True)
    (folder / layout.MANIFEST).write_bytes(plan.bundle.manifest_bytes)
    for member in plan.bundle.signature_members:
        (folder / member.name).write_bytes(member.content)
    written = Receipt(
        format=1,
        generation=uuid.uuid4().hex,
        tool=f"wheelferry {__version__}",
        installed=format_timestamp(now),
        bundle=plan.bundle.path.name,
        bundle_created=plan.bundle.manifest.created,
        manifest_sha256=plan.bundle.sha256,
        target=plan.fit.target.id,
        interpreter=os.fspath(plan.fit.interpreter.base_executable),
        python=plan.fit.interpreter.markers["python_full_version"],
        compiled=plan.compile_bytecode,
        signers=tuple(
            f"{signer.name} {signer.fingerprint}"
            for signer in plan.bundle.signers
            if signer.problem is None
        ),
        packages=_installed_packages(plan, outcomes),
        files=skeleton,
    )
    (folder / receipt.FILE_NAME).write_bytes(receipt.serialize(written))
    return written
