"""The errors that both sides raise, each family with its exit code.

An error is raised once everything that is wrong is known: `message` is the one line that says what
failed, `details` has one line for each problem, `hint` says what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ClassVar, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class WheelferryError(Exception):
    """A failure that a user can act on; `advice` is the default hint."""

    exit_code: ClassVar[int] = 1
    advice: ClassVar[str] = "run the same command with 'bundle -v' to see where this comes from"

    def __init__(
        self, message: str, *, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.advice
        self.details = tuple(details)

    def __str__(self) -> str:
        return "\n".join((self.message, *self.details))


class BuildError(WheelferryError):
    """A wheel could not be built from its source."""

    advice = "build its wheel by hand, and pass the folder of the wheel with --find-links"


class UsageError(WheelferryError):
    """The command line, or the project that it points at, asks for something impossible."""

    exit_code = 2
    advice = "see what the command takes with --help"


class TrustError(WheelferryError):
    """No accepted signer vouches for the bundle."""

    exit_code = 3
    advice = "see who may sign bundles for this host: bundle trust list"


class MalformedError(WheelferryError):
    """Bytes differ from what their format or hash says: damaged or tampered with."""

    exit_code = 4
    advice = "it was damaged or edited: make it again, or get it again from its source"


class TamperedError(MalformedError):
    """A bundle's bytes differ from those that its manifest implies."""

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
    advice = "see what a bundle is for: bundle show"


class OutdatedError(WheelferryError):
    """The bundle is older than what is installed, or has expired."""

    exit_code = 6
    advice = "ask for a newer bundle"


class TransferError(WheelferryError):
    """A file, a disk or an index could not be read or written."""

    exit_code = 7
    advice = "check that it exists, that you may read and write it, and that the disk has space"

    @classmethod
    def of_system(cls, error: OSError) -> TransferError:
        """Return an error with the system's message."""
        name = f"{error.filename}: " if error.filename else ""
        return cls(f"{name}{error.strerror or error}")


class ConflictError(WheelferryError):
    """Something that is not ours, or another run of ours, is in the way."""

    exit_code = 8
    advice = "wait for the other run, or move away what is in the way"


def raise_together(problems: Sequence[WheelferryError], what: str) -> None:
    """Raise all problems as one error with the message `what`; return if there are none.

    Its kind and hint are those of the gravest problem: tampering outweighs malformed wheels, which
    outweigh a full disk.
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


def in_families(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Return a function that raises `TransferError` instead of `OSError`.

    `BrokenPipeError` passes: only a caller's own callbacks write to a pipe.
    """

    @wraps(function)
    def told(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        try:
            return function(*arguments, **options)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise TransferError.of_system(error) from error

    return told
