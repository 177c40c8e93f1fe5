"""`bundle target`: what to tell the online side about this host."""

from __future__ import annotations

import click

from wheelferry_installer import api
from wheelferry_installer.commands.printing import say_json

_EPILOG = """\b
Here:               bundle target > target.json
On the online host: bundle create --target target.json
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--python", metavar="PATH|VERSION", help="The interpreter to describe. Default: this one."
)
def target(python: str | None) -> None:
    """Describe this host's Python as JSON, to carry to the online side.

    A bundle made for that description needs no guess: real tags, real glibc, real patch release.
    """
    say_json(api.describe_host(python).plain())
