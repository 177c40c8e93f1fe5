"""Help that shows options in groups, for commands that have many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
_REST = "Other options"
_TITLE = "help_group"


class GroupedCommand(click.Command):
    """A command whose help lists each option under the title set by `grouped`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each title, the rest last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(vars(parameter).get(_TITLE, _REST), []).append(record)
        rest = sections.pop(_REST, [])
        for title, records in (*sections.items(), (_REST, rest)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def grouped(title: str, *options: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options and lists them under one title.

    Options added without it are listed under 'Other options'.
    """

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            before = len(getattr(command, "__click_params__", ()))
            command = option(command)
            for parameter in getattr(command, "__click_params__", ())[before:]:
                vars(parameter)[_TITLE] = title
        return command

    return decorate
