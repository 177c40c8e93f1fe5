"""What all functions of the API have in common: which errors they raise, and what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from wheelferry_schemas.errors import TransferError

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def in_families(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Have a function raise `TransferError` where the system fails it, so that families are enough.

    What a pipe that its reader left raises passes: that is the affair of whoever writes to it.
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


def clock(now: int | None) -> int:
    """Return the time that is given, else that of this host's clock."""
    return int(time.time()) if now is None else now


def silent(_name: str, _size: int) -> None:
    """Tell nobody how far something is."""
