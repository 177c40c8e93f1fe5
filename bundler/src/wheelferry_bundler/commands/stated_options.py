"""What a command line states: the options that somebody typed, and the time of a run."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.api import Value


_OF_A_RUN = ("dry-run", "force", "json", "no-settings", "passphrase-file", "quiet", "unsigned")
"""Options that say nothing about what a bundle is."""


def stated_options(context: click.Context) -> dict[str, Value]:
    """Return the options that were typed, by their names without dashes.

    `--dev` is the opposite of `no-dev`. Options that say nothing about a bundle are left out.
    """
    stated: dict[str, Value] = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed and isinstance(parameter, click.Option):
            value = context.params[name]
            option = option_name(parameter)
            if option == "dev":
                option, value = "no-dev", not value
            if option not in _OF_A_RUN:
                stated[option] = _plain(value)
    return stated


def option_name(option: click.Option) -> str:
    """Return the name of an option without dashes, as settings have it."""
    return max(option.opts, key=len).lstrip("-")


def _plain(value: Any) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(map(str, value))
    return str(value) if isinstance(value, Path) else value


def created_at() -> int:
    """Return when a bundle that is made now says that it was made; raises `UsageError`."""
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return int(time.time())
    if not text.isdigit() or int(text) >= 2**33:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {text!r}, not a number of seconds since 1970",
            hint="unset it, or set it to such a number: date +%s",
        )
    return int(text)
