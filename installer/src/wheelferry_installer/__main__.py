"""Runs `bundle` as `python -m wheelferry_installer`; loads nothing before it can be stopped."""

from __future__ import annotations

import sys

_STOPPED = "error: stopped; nothing was changed\nhint: to go on, run the same command again\n"


def main() -> None:
    """Run the command line; Ctrl-C ends it in the same way while its modules are loaded."""
    try:
        from wheelferry_installer import cli
    except KeyboardInterrupt:
        sys.stderr.write(_STOPPED)  # noqa: TID251 - what prints is not there yet
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
