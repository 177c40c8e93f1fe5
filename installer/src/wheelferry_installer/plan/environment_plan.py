"""Decides what an installation will do, before anything is written; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.plan.doubts import doubts
from wheelferry_installer.plan.fitting import Fit
from wheelferry_installer.plan.package_changes import (
    PackageChanges,
    PackageVersion,
    State,
    state_of,
)
from wheelferry_schemas.bundle.manifest import Package, PythonArchive
from wheelferry_schemas.errors import ConflictError, OutdatedError
from wheelferry_schemas.receipt import Receipt

if TYPE_CHECKING:
    from wheelferry_installer.environment.present import PresentEnvironment
    from wheelferry_installer.verify.verification import VerifiedBundle


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPlan:
    """An installation of one target of a bundle into one environment.

    `present` is what exists now; `doubts` are why it is not what this plan would produce although
    its receipt says so. `bundled_python` is the Python that the environment is made from, None if
    that is one of this host.
    """

    bundle: VerifiedBundle
    present: PresentEnvironment
    fit: Fit
    compile_bytecode: bool
    reinstall: bool
    allow_downgrade: bool = False
    replace_other: bool = False
    bundled_python: PythonArchive | None = None
    doubts: tuple[str, ...] = ()

    @property
    def environment(self) -> Path:
        """Where the environment is to be."""
        return self.present.path

    @property
    def receipt(self) -> Receipt | None:
        """The receipt of the present environment."""
        return self.present.receipt

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages to install."""
        return self.fit.packages

    @property
    def up_to_date(self) -> bool:
        """Whether the environment already is what this plan would produce."""
        return self._claimed and not self.doubts

    @property
    def _claimed(self) -> bool:
        """Whether the receipt names the same bundle, target and interpreter."""
        receipt = self.receipt
        return (
            not self.reinstall
            and receipt is not None
            and self.present.evidence is not None
            and receipt.manifest_sha256 == self.bundle.sha256
            and receipt.target == self.fit.target.id
            and receipt.interpreter == str(self.fit.interpreter.base_executable)
            and (self.bundled_python is not None or receipt.python == self._python)
            and receipt.compiled >= self.compile_bytecode
        )

    @property
    def changes(self) -> PackageChanges:
        """What this plan changes."""
        before = state_of(self.receipt)
        after = State(
            generation=None,
            manifest_sha256=self.bundle.sha256,
            packages=tuple(PackageVersion(p.name, p.version, p.sha256) for p in self.packages),
        )
        return PackageChanges(before=before, after=before if self.up_to_date else after)

    @property
    def _python(self) -> str:
        return self.fit.interpreter.markers["python_full_version"]

    def renewed(self, present: PresentEnvironment) -> EnvironmentPlan:
        """Return the plan for what exists now: another run may have changed the environment.

        Raises as `plan` does.
        """
        refuse_succession(
            self.bundle,
            present.receipt,
            present.path,
            replace_other=self.replace_other,
            allow_downgrade=self.allow_downgrade,
        )
        plan = replace(self, present=present, doubts=())
        receipt, evidence = present.receipt, present.evidence
        if receipt is None or evidence is None or not plan._claimed:  # noqa: SLF001 - it is one of these
            return plan
        return replace(plan, doubts=tuple(doubts(receipt, evidence, self.bundle, self.packages)))


def plan(
    bundle: VerifiedBundle,
    present: PresentEnvironment,
    fit: Fit,
    *,
    compile_bytecode: bool,
    reinstall: bool = False,
    allow_downgrade: bool = False,
    replace_other: bool = False,
    bundled_python: PythonArchive | None = None,
) -> EnvironmentPlan:
    """Plan the installation of a fitting target where `present` was read.

    Raises `ConflictError` if that was installed from a bundle of another name, and `OutdatedError`
    if from a newer bundle.
    """
    return EnvironmentPlan(
        bundle=bundle,
        present=present,
        fit=fit,
        compile_bytecode=compile_bytecode,
        reinstall=reinstall,
        allow_downgrade=allow_downgrade,
        replace_other=replace_other,
        bundled_python=bundled_python,
    ).renewed(present)


def refuse_succession(
    bundle: VerifiedBundle,
    present: Receipt | None,
    where: Path,
    *,
    replace_other: bool,
    allow_downgrade: bool,
) -> None:
    """Raise if a bundle must not replace what is installed, unless an option allows it.

    `ConflictError` if that came from a bundle of another name; `OutdatedError` if from a newer one.
    """
    if present is None:
        return
    name, created = bundle.manifest.name, bundle.manifest.created
    if name != present.bundle_name:
        if not replace_other:
            raise ConflictError(
                f"{where} belongs to {present.bundle_name!r}, but {bundle.path.name} is a bundle "
                f"of {name!r}",
                hint="choose another place, or pass --replace to replace what is installed",
            )
    elif created < present.bundle_created and not allow_downgrade:
        raise OutdatedError(
            f"{bundle.path.name} is older than what is installed: created at {created}, "
            f"the installed one at {present.bundle_created}",
            hint="it may bring back known vulnerabilities: pass --allow-downgrade to go back",
        )
