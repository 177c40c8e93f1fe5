"""What `bundle create --dry-run --json` says, in the words of the oracle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from oracle.uv_runs import TARGETS, OracleTarget
from wheelferry_bundler.commands.create import create

_DRY_RUN = ("--dry-run", "--json", "--allow-missing-hash")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen for a target: versions by name, and what stands in the way, with advice.

    `fetched_wheels` are the file names of the wheels that have to come over the network.
    """

    versions: dict[str, str | None] = field(default_factory=dict)
    fetched_wheels: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


def choose(
    source: Path, arguments: Sequence[str], targets: Sequence[OracleTarget] = TARGETS
) -> dict[str, Choice]:
    """Run `bundle create --dry-run --json` for every target; returns the choices by target id.

    A usage error is every target's problem. That a lock states no hash is no question to uv, so
    none is made of it here.
    """
    choices = {}
    for python in sorted({target.python for target in targets}):
        platforms = [target.platform for target in targets if target.python == python]
        options = [option for platform in platforms for option in ("--platform", platform)]
        ran = CliRunner().invoke(
            create,
            [str(source), *_DRY_RUN, "--python", python, *options, *arguments],
        )
        if ran.stdout:
            choices.update(_read(ran.stdout))
        else:
            assert ran.exception is not None
            refused = Choice(problems=(str(ran.exception),))
            choices.update({t.id: refused for t in targets if t.python == python})
    return choices


def _read(printed: str) -> dict[str, Choice]:
    answer = json.loads(printed)
    return {
        target["id"]: _choice(
            target["packages"],
            [problem for problem in answer["problems"] if problem["target"] == target["id"]],
        )
        for target in answer["targets"]
    }


def _choice(
    packages: Sequence[Mapping[str, str | None]], problems: Sequence[Mapping[str, str]]
) -> Choice:
    return Choice(
        versions={str(package["name"]): package["version"] for package in packages},
        fetched_wheels=frozenset(
            package["filename"]
            for package in packages
            if package["filename"] and package["source"] in ("registry", "url")
        ),
        problems=tuple(problem["message"] for problem in problems),
        hints=tuple(problem["hint"] for problem in problems),
    )
