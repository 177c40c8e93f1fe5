"""`bundle init`: adds settings to a project that has none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelferry_bundler.commands.create_options import (
    lasting_options,
    output_options,
    place_options,
    platform_options,
    selection_options,
)
from wheelferry_bundler.commands.option_groups import GroupedCommand, grouped
from wheelferry_bundler.commands.printing import ask, confirmed, say, tell
from wheelferry_bundler.commands.signing_options import key_option
from wheelferry_bundler.commands.stated_options import stated_options
from wheelferry_schemas.errors import UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.api import ProjectFacts, Value

HOSTS = (
    ("RHEL 8 and newer, and their like", "manylinux_2_28_x86_64"),
    ("RHEL 9 and newer", "manylinux_2_34_x86_64"),
    ("Debian 11, Ubuntu 20.04 and newer", "manylinux_2_31_x86_64"),
    ("Debian 12, Ubuntu 24.04 and newer", "manylinux_2_36_x86_64"),
    ("older Linux, such as RHEL 7", "manylinux2014_x86_64"),
    ("Alpine Linux", "musllinux_1_2_x86_64"),
    ("Linux on ARM, RHEL 8 and newer", "manylinux_2_28_aarch64"),
    ("Windows", "win_amd64"),
    ("macOS 13 and newer, Apple silicon", "macosx_13_0_arm64"),
)
"""What hosts are called, and the platform tag that fits them all."""

_EPILOG = """\b
Examples:
  bundle init
  bundle init --platform manylinux_2_28_x86_64 --python 3.12 --no-dev
"""


@click.command(
    cls=GroupedCommand,
    epilog=_EPILOG,
    short_help="Add [tool.wheelferry] to a project (online host).",
)
@click.argument("source", type=click.Path(path_type=Path), default=".")
@grouped("For which hosts", platform_options)
@grouped("What to take", selection_options)
@grouped("From where", place_options)
@grouped("Signing and expiry", key_option, lasting_options)
@grouped("Output", output_options)
@click.pass_context
def init(context: click.Context, /, source: Path, **given: Any) -> None:
    """Add the settings of 'bundle create' to the project of SOURCE, which has none yet.

    They are appended to pyproject.toml as the table [tool.wheelferry], or written into a
    wheelferry.toml where there is no pyproject.toml. The options are those of 'bundle create';
    without any, they are asked for.
    """
    from wheelferry_bundler import api

    del given
    found = api.find_source(source)
    stated = {option: value for option, value in stated_options(context).items() if value}
    asks = not stated
    if asks:
        # Refuses what is there before anything is asked.
        api.draft_settings(found, {})
        if not (sys.stdin is not None and sys.stdin.isatty()):
            raise UsageError(
                "there is no terminal to ask on, and no option says what to write",
                hint="pass options, such as --platform manylinux_2_28_x86_64 --python 3.12",
            )
        stated = _asked(api.project_facts(found))
    # What is wrong is told in terms of the command line.
    api.wanted_bundles(None, stated)
    draft = api.draft_settings(found, stated)
    if asks:
        tell(f"this is added to {draft.path}:")
    say(*draft.text.strip("\r\n").splitlines())
    if asks and not confirmed("Add it?"):
        raise click.Abort
    draft.add()
    tell(f"added to {draft.path}; next: bundle create")


def _asked(facts: ProjectFacts) -> dict[str, Value]:
    """Ask for what matters; Enter takes what stands in brackets."""
    from wheelferry_bundler import api

    answers: dict[str, Value] = {}
    tell("For which hosts is the bundle?")
    width = max(len(name) for name, _ in HOSTS)
    tell(*(f"  {i}  {name:{width}}  {tag}" for i, (name, tag) in enumerate(HOSTS, 1)))
    answers["platform"] = _answer(
        "Numbers or platform tags, with commas between them", "1", _platforms
    )
    answers["python"] = _answer(
        "Which Python do they have?",
        facts.python,
        lambda text: _checked(_words(text), lambda words: api.make_targets(pythons=words)),
    )
    if facts.groups:
        default = ", ".join(facts.default_groups) or "none"
        tell(f"Dependency groups of the project: {', '.join(facts.groups)}")
        wanted = _answer("Which of them are to be in the bundle?", default, _groups_of(facts))
        answers |= _chosen(wanted, facts.default_groups)
    return answers


def _chosen(wanted: tuple[str, ...], defaults: tuple[str, ...]) -> dict[str, Value]:
    """Return the options that take exactly these groups; without a word where those are default."""
    if set(wanted) == set(defaults):
        return {}
    answers: dict[str, Value] = {}
    if added := tuple(group for group in wanted if group not in defaults):
        answers["group"] = added
    dropped = tuple(group for group in defaults if group not in wanted)
    if dropped == ("dev",):
        answers["no-dev"] = True
    elif dropped:
        answers["no-group"] = dropped
    return answers


def _answer(question: str, default: str, read: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """Ask until the answer can be read."""
    while True:
        try:
            return read(ask(question, default))
        except UsageError as error:
            tell(f"{error.message} ({error.hint})")


def _platforms(text: str) -> tuple[str, ...]:
    from wheelferry_bundler import api

    tags = dict.fromkeys(_numbered(word) for word in _words(text))
    return _checked(tuple(tags), api.make_targets)


def _numbered(word: str) -> str:
    if not word.isdecimal():
        return word
    if not 1 <= int(word) <= len(HOSTS):
        raise UsageError(f"there is no number {word}", hint=f"1 to {len(HOSTS)}")
    return HOSTS[int(word) - 1][1]


def _groups_of(facts: ProjectFacts) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        words = () if text.strip() == "none" else _words(text)
        unknown = [word for word in words if word not in facts.groups]
        if unknown:
            known = ", ".join((*facts.groups, "none"))
            raise UsageError(f"the project has no group {', '.join(unknown)}", hint=known)
        return words

    return read


def _words(text: str) -> tuple[str, ...]:
    words = tuple(text.replace(",", " ").split())
    if not words:
        raise UsageError("nothing was said", hint="Enter takes what stands in brackets")
    return words


def _checked(words: tuple[str, ...], check: Callable[[tuple[str, ...]], object]) -> tuple[str, ...]:
    check(words)
    return words
