"""The command `bundle`, also as `python -m wheelferry_installer`: loads nothing before it can be stopped."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it in the same way while its modules are loaded."""
    try:
        from wheelferry_installer import cli
    except KeyboardInterrupt:
        sys.stderr.write("error: stopped; nothing was changed\n")  # noqa: TID251 - cli is not there
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
