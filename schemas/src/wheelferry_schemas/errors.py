"""The errors that both sides raise, each family with its exit code.

An error collects everything that is wrong before it is raised: `message` is the one line that
says what, `details` holds one line for each single problem, `hint` what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class WheelferryError(Exception):
    """A failure that a user can act on."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str, *, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)

    def __str__(self) -> str:
        return "\n".join((self.message, *self.details))


class BuildError(WheelferryError):
    """A wheel could not be built from its source."""


class UsageError(WheelferryError):
    """The command line, or the project that it points at, asks for something impossible."""

    exit_code = 2


class TrustError(WheelferryError):
    """No accepted signer vouches for the bundle."""

    exit_code = 3


class MalformedError(WheelferryError):
    """Bytes are not what their format or their hash says: damaged or tampered with."""

    exit_code = 4


class TamperedError(MalformedError):
    """A bundle's bytes are not the foretold ones."""

    def __init__(self, message: str, *, details: Sequence[str] = ()) -> None:
        super().__init__(
            message,
            hint="the bundle was damaged on the way or tampered with: copy it again, and compare "
            "its sha256sum with that of the original",
            details=details,
        )


class UnfitError(WheelferryError):
    """Something is missing for a target, or the bundle holds nothing that fits this host."""

    exit_code = 5


class OutdatedError(WheelferryError):
    """The bundle is older than what is installed, or has expired."""

    exit_code = 6


class TransferError(WheelferryError):
    """A file, a disk or an index could not be read or written."""

    exit_code = 7


class ConflictError(WheelferryError):
    """Something that is not ours, or another run of ours, is in the way."""

    exit_code = 8


def raise_together(problems: Sequence[WheelferryError], what: str) -> None:
    """Raise all problems as one error that says `what`; return where there are none.

    Kind and hint are those of the gravest: tampering outweighs malformed wheels, those a full disk.
    A single problem is raised as it is.
    """
    if len(problems) == 1:
        raise problems[0]
    for kind in (TamperedError, MalformedError, WheelferryError):
        gravest = next((problem for problem in problems if isinstance(problem, kind)), None)
        if gravest is not None:
            lines = [line for problem in problems for line in str(problem).splitlines()]
            error = type(gravest)(what, details=lines)
            error.hint = gravest.hint
            raise error
