"""How a bundle is to be installed: one value for all that a person may ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wheelferry_schemas.errors import UsageError

Progress = Callable[[str, int], None]
"""Called with the name of what is done, and its bytes."""
OnWait = Callable[[], None]
"""Called before another run on the same place is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOptions:
    """What to install, what to accept, and what to do with what is there.

    `keep` is how many former environments stay for a rollback: one unless it is given, and where
    nothing is to be done all of them. `force` goes on where files were edited or belong to others.
    `bundled_python` and `keep` above 1 are for managed places, `exact` is for the others.

    With `shield_signals` INT and TERM are ignored while they would leave something half done. That
    works in the main thread alone.
    """

    bundled_python: bool = False
    compile_bytecode: bool = False
    reinstall: bool = False
    exact: bool = False
    force: bool = False
    replace: bool = False
    allow_downgrade: bool = False
    keep: int | None = None
    sync: bool = True
    shield_signals: bool = False


def refuse_useless(what: str, options: dict[str, bool]) -> None:
    """Raise `UsageError` where an option says nothing to what is asked for."""
    useless = [option for option, named in options.items() if named]
    if useless:
        raise UsageError(
            f"{' and '.join(useless)} cannot be combined with {what}", hint="leave one of them out"
        )
