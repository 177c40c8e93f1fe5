"""Says what stays in a former environment because it is somebody's own, and which ones go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_installer.commands.printing import say
from wheelferry_schemas.display import count, human_size

if TYPE_CHECKING:
    from wheelferry_installer.environment.losses import Losses
    from wheelferry_installer.environment.pruning import Pruned
    from wheelferry_installer.install.installation import Aside
    from wheelferry_schemas.receipt import Receipt

_SHORT = 8


def named(receipt: Receipt) -> str:
    """Return how a former environment is told apart: its generation, and what it came from."""
    was = f"{receipt.bundle}, made {receipt.bundle_created}, installed {receipt.installed}"
    return f"{receipt.generation[:_SHORT]} from {was}"


def say_left(losses: Losses, former: Path, verb: str = "stays") -> None:
    """Say what stays in the former environment, if anything does."""
    if losses:
        say(f"what is not wheelferry's {verb} in {former}: {losses.tally}")


def left_json(losses: Losses, former: Path | None) -> dict[str, object] | None:
    """Return what stays in the former environment as JSON."""
    if not losses or former is None:
        return None
    return {
        "folder": os.fspath(former),
        "edited": losses.edited,
        "added": losses.added,
        "packages": losses.packages,
    }


def say_aside(aside: Aside | None, *, dry_run: bool = False) -> None:
    """Say what stays in the former environment, and which ones go."""
    if aside is None:
        return
    say_left(aside.losses, aside.former, verb="would stay" if dry_run else "stays")
    if aside.pruned is not None and aside.pruned.generations:
        say_pruned(aside.pruned, dry_run=dry_run)


def aside_json(aside: Aside | None) -> dict[str, object]:
    """Return the same as JSON; nothing for a place that others made."""
    if aside is None:
        return {}
    left = left_json(aside.losses, aside.former)
    return {"kept_files": left, **pruned_json(aside.pruned)}


def say_pruned(pruned: Pruned, *, dry_run: bool = False) -> None:
    """Say which former environments go."""
    verb = "would remove" if dry_run else "removed"
    for generation in pruned.generations:
        say(f"{verb} {named(generation.receipt)}")
    environments = count(len(pruned.generations), "former environment")
    say(f"{verb} {environments}, {human_size(pruned.freed)}")


def pruned_json(pruned: Pruned | None) -> dict[str, object]:
    """Return which former environments go as JSON."""
    generations = pruned.generations if pruned else ()
    return {
        "pruned": [generation.receipt.generation for generation in generations],
        "freed": pruned.freed if pruned else 0,
    }
