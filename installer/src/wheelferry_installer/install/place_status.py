"""What is installed at a place, from which bundle, and whether it is intact."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.environment.generations import Generation
from wheelferry_installer.environment.inspection import Findings, inspect
from wheelferry_installer.environment.vouching import Vouched, vouch
from wheelferry_installer.install.place_engines import Place
from wheelferry_installer.plan.doubts import fingerprint_of
from wheelferry_installer.system import disk
from wheelferry_installer.verify.policy import Policy
from wheelferry_schemas.errors import ConflictError, UsageError
from wheelferry_schemas.receipt import Receipt

UNFINISHED = "the next install, rollback or uninstall there finishes or undoes it"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedGeneration:
    """An environment that is installed or kept, and its size in bytes where that was counted."""

    path: Path
    receipt: Receipt
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a place has, compared with what was installed there.

    `generations` begins with what is there now; former ones are those that are kept. `unlisted`
    says why these could not be read. Where the change of a place is `unfinished`, nothing of all
    that is certain.
    """

    root: Path
    is_managed: bool
    unfinished: bool
    receipt: Receipt
    findings: Findings
    vouched: Vouched
    generations: tuple[SizedGeneration, ...]
    unlisted: str | None = None

    @property
    def intact(self) -> bool:
        """Whether all files are as installed, and the manifest bears out the receipt."""
        return self.findings.intact and not self.vouched.problems

    @property
    def kept(self) -> tuple[SizedGeneration, ...]:
        """The former environments."""
        return self.generations[1:]

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each thing that is not as it was installed."""
        return (
            *self.vouched.problems,
            *(f"changed: {path}" for path in self.findings.changed),
            *(f"missing: {path}" for path in self.findings.missing),
        )

    @property
    def disputed(self) -> tuple[tuple[str, str], ...]:
        """Whom the receipt says that signed, although nothing here accepts that, and why."""
        accepted = {signer.fingerprint for signer in self.vouched.accepted}
        reasons = {signer.fingerprint: signer.problem for signer in self.vouched.signers}
        return tuple(
            (name, reasons.get(fingerprint) or "its signature does not lie there")
            for name, fingerprint in ((n, fingerprint_of(n)) for n in self.receipt.signers)
            if fingerprint not in accepted
        )


def status_of(place: Place, policy: Policy | None, now: int, *, quick: bool) -> Status:
    """Return what a place has; changes nothing.

    `quick` believes a file that has its size and was not touched since. Raises `UsageError` where
    wheelferry has installed nothing, and `ConflictError` where that is not known, as a change is
    unfinished.
    """
    unfinished, folder = place.unfinished, place.receipts
    receipt = place.receipt()
    if receipt is None and unfinished:
        raise unfinished_change(place.root)
    if receipt is None:
        made = "is not an environment that wheelferry made"
        raise UsageError(
            f"{place.root} {made if place.is_managed else 'has nothing that wheelferry installed'}",
            hint="name one with --venv; other places with --into, --target or --prefix",
        )
    kept: tuple[Generation, ...] = ()
    unlisted = None
    try:
        kept = place.generations()
    except ConflictError as error:
        unlisted = error.message
    counted = place.is_managed and not quick
    return Status(
        root=place.root,
        is_managed=place.is_managed,
        unfinished=unfinished,
        receipt=receipt,
        findings=inspect(place.root, receipt, whole=place.is_managed, thorough=not quick),
        vouched=vouch(folder, receipt, policy, now, whole=place.is_managed),
        generations=tuple(
            SizedGeneration(
                path=one.path,
                receipt=one.receipt,
                size=disk.size_on_disk(one.path) if counted else None,
            )
            for one in (Generation(path=place.root, receipt=receipt), *kept)
        ),
        unlisted=unlisted,
    )


def unfinished_change(where: Path, details: tuple[str, ...] = ()) -> ConflictError:
    """Return the error that says that a change was interrupted, or is being made."""
    return ConflictError(f"a change of {where} is unfinished", details=details, hint=UNFINISHED)
