"""What a vector is: hostile input with one failure, its exit code, and words of its error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from support.making.wheels import TinyWheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One input. `files` makes it anew; `options` are those that the command is run with.

    `code` 0 marks a control: input that has to be accepted.
    """

    name: str
    code: int
    words: str
    files: Callable[[], Mapping[str, bytes]]
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelVector:
    """Wheels that are hostile inside; the bundle of them is made and signed as it should be.

    `seen_by` names the commands that refuse it: `verify` does not unpack wheels.
    """

    name: str
    words: str
    wheels: Callable[[], Sequence[TinyWheel]]
    code: int = 4
    seen_by: tuple[str, ...] = ("verify", "install")
