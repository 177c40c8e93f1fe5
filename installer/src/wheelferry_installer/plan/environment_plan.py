"""What an installation will do, decided before anything is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from wheelferry_installer.environment.present import doubts, present_in
from wheelferry_installer.plan.fitting import Fit
from wheelferry_installer.plan.package_changes import (
    PackageChanges,
    PackageVersion,
    State,
    state_of,
)
from wheelferry_installer.verify.verification import VerifiedBundle
from wheelferry_schemas.bundle.manifest import Package, PythonArchive
from wheelferry_schemas.errors import ConflictError, OutdatedError
from wheelferry_schemas.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPlan:
    """An installation of one target of a bundle into one environment.

    `present` is the receipt of the environment that is there now. `up_to_date` tells that it is
    what this plan would give, so that nothing is left to do; `doubts` are why it is not, where the
    receipt says so. `bundled_python` is what the environment is made from, None where that is a
    Python of this host.
    """

    bundle: VerifiedBundle
    environment: Path
    fit: Fit
    compile_bytecode: bool
    reinstall: bool
    present: Receipt | None
    allow_downgrade: bool = False
    replace_other: bool = False
    bundled_python: PythonArchive | None = None
    doubts: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages to install."""
        return self.fit.packages

    @property
    def up_to_date(self) -> bool:
        """Whether the environment is what this plan would give."""
        return self._claimed and not self.doubts

    @property
    def _claimed(self) -> bool:
        """Whether its receipt says that it came from the same bundle, target and interpreter."""
        return (
            not self.reinstall
            and self.present is not None
            and self.present.manifest_sha256 == self.bundle.sha256
            and self.present.target == self.fit.target.id
            and self.present.interpreter == os.fspath(self.fit.interpreter.base_executable)
            and (self.bundled_python is not None or self.present.python == self._python)
            and self.present.compiled >= self.compile_bytecode
        )

    @property
    def changes(self) -> PackageChanges:
        """What this plan changes."""
        before = state_of(self.present)
        after = State(
            generation=None,
            manifest_sha256=self.bundle.sha256,
            packages=tuple(PackageVersion(p.name, p.version, p.sha256) for p in self.packages),
        )
        return PackageChanges(before=before, after=before if self.up_to_date else after)

    @property
    def _python(self) -> str:
        return self.fit.interpreter.markers["python_full_version"]

    def renewed(self) -> EnvironmentPlan:
        """Return the plan as of now: another run may have changed the environment meanwhile.

        Raises as `plan` does.
        """
        present = present_in(self.environment)
        refuse_succession(
            self.bundle,
            present,
            self.environment,
            replace_other=self.replace_other,
            allow_downgrade=self.allow_downgrade,
        )
        plan = replace(self, present=present, doubts=())
        if present is None or not plan._claimed:  # noqa: SLF001 - it is one of these
            return plan
        found = doubts(self.environment, present, self.bundle, self.packages)
        return replace(plan, doubts=found)


def plan(
    bundle: VerifiedBundle,
    environment: Path,
    fit: Fit,
    *,
    compile_bytecode: bool,
    reinstall: bool = False,
    allow_downgrade: bool = False,
    replace_other: bool = False,
    bundled_python: PythonArchive | None = None,
) -> EnvironmentPlan:
    """Plan the installation of a fitting target into `environment`.

    Raises `ConflictError` where something lies there that wheelferry did not make, or that is of
    bundles of another name, and `OutdatedError` where what is installed came from a younger bundle.
    """
    return EnvironmentPlan(
        bundle=bundle,
        environment=Path(os.path.abspath(environment)),
        fit=fit,
        compile_bytecode=compile_bytecode,
        reinstall=reinstall,
        present=None,
        allow_downgrade=allow_downgrade,
        replace_other=replace_other,
        bundled_python=bundled_python,
    ).renewed()


def refuse_succession(
    bundle: VerifiedBundle,
    present: Receipt | None,
    where: Path,
    *,
    replace_other: bool,
    allow_downgrade: bool,
) -> None:
    """Raise where a bundle must not follow what is installed, unless that is asked for.

    `ConflictError` where that is of bundles of another name, whose dates say nothing then;
    `OutdatedError` where it came from a younger bundle.
    """
    if present is None:
        return
    name, created = bundle.manifest.name, bundle.manifest.created
    if name != present.bundle_name:
        if not replace_other:
            raise ConflictError(
                f"{where} is of {present.bundle_name!r}, and {bundle.path.name} is a bundle of "
                f"{name!r}",
                hint="choose another place for it; or, to have it in the place of the other, pass "
                "--replace",
            )
    elif created < present.bundle_created and not allow_downgrade:
        raise OutdatedError(
            f"{bundle.path.name} is older than what is installed: made at {created}, that at "
            f"{present.bundle_created}",
            hint="an old bundle may bring back old weaknesses: pass --allow-downgrade to go back",
        )
